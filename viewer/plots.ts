import type { MessageValue } from '../schemas/message.ts';

/** What to draw of a topic: used by the layouts for Foxglove and by the page, so that both show the same. */

export interface PlotTopic {
  /** Without ROS 2's middle part: `sensor_msgs/JointState`. */
  readonly type: string;
  /** Names of the elements of its arrays where its messages do not carry them; empty where unknown. */
  readonly elementNames: readonly string[];
  /** One of its messages, decoded; undefined where there is none. */
  readonly sample: MessageValue | undefined;
}

export interface PlotSpec {
  /** Which part of the message, `force`; empty for a topic with one plot. */
  readonly part: string;
  /** Over time, or one message over the index of its elements. */
  readonly xAxis: 'time' | 'index';
  readonly lines: readonly PlotLine[];
}

export interface PlotLine {
  /** From the message on, `wrench.force.x` or `position[2]`; ends in `[:]` for a plot over the index. */
  readonly path: string;
  readonly label: string;
}

/** More lines than this cannot be told apart in one plot. */
const MAX_LINES = 16;

/** Types of the common packages that hold readings; the others hold settings and structures. */
const READINGS = /\/(JointState|Wrench|WrenchStamped|Float(32|64)(MultiArray)?)$/;
const COMMON_PACKAGES =
  /^(std|sensor|geometry|nav|tf2|diagnostic|visualization|trajectory|foxglove)_msgs\/|^foxglove\./;

/** Whether messages of a type may have something to draw, before any of them is known. */
export function mayPlot(type: string): boolean {
  return READINGS.test(type) || !COMMON_PACKAGES.test(type);
}

export function plotsOf(topic: PlotTopic): readonly PlotSpec[] {
  const { type, sample, elementNames } = topic;
  switch (type.slice(type.lastIndexOf('/') + 1)) {
    case 'JointState': {
      const names = Array.isArray(sample?.name) ? sample.name.map(String) : elementNames;
      return [overTime('', elements(sample, 'position', names))];
    }
    case 'WrenchStamped':
      return ['force', 'torque'].map((part) => overTime(part, axes(`wrench.${part}`)));
    case 'Wrench':
      return ['force', 'torque'].map((part) => overTime(part, axes(part)));
    case 'Float64MultiArray':
    case 'Float32MultiArray':
      return [overTime('', elements(sample, 'data', elementNames))];
    case 'kinescribe.PolicyValue':
      return [overTime('', elements(sample, 'value', elementNames))];
    case 'Float64':
    case 'Float32':
      return [overTime('', [{ path: 'data', label: 'data' }])];
    default:
      if (!mayPlot(type)) return [];
      // A type of the robot's own: whatever list of numbers it holds.
      return Object.entries(sample ?? {})
        .filter(([, value]) => isNumbers(value))
        .map(([field]) => ({ part: field, xAxis: 'index', lines: [{ path: `${field}[:]`, label: field }] }));
  }
}

function overTime(part: string, lines: readonly PlotLine[]): PlotSpec {
  return { part, xAxis: 'time', lines };
}

function axes(path: string): readonly PlotLine[] {
  return ['x', 'y', 'z'].map((axis) => ({ path: `${path}.${axis}`, label: axis }));
}

function elements(
  sample: MessageValue | undefined,
  field: string,
  names: readonly string[],
): readonly PlotLine[] {
  const values = sample?.[field];
  const count = isNumbers(values) ? values.length : names.length;
  return Array.from({ length: Math.min(MAX_LINES, Math.max(1, count)) }, (_, index) => ({
    path: `${field}[${index}]`,
    label: names[index] ?? `${field}[${index}]`,
  }));
}

/** Numbers in a row; bytes are pictures and other blobs. */
export function isNumbers(value: unknown): value is ArrayLike<number> {
  return ArrayBuffer.isView(value) && !(value instanceof Uint8Array) && !(value instanceof DataView);
}

/** One number of a message; NaN where there is none. */
export type ReadNumber = (message: MessageValue) => number;

/** The number at a path such as `wrench.force.x` or `position[2]`; booleans are 0 and 1. */
export function numberAt(path: string): ReadNumber {
  const steps = path.split(/[.[\]]+/).filter(Boolean);
  return (message) => {
    let value: unknown = message;
    for (const step of steps) value = (value as Record<string, unknown> | undefined)?.[step];
    return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN;
  };
}

/** What is drawn over time of a plot: its lines, or the sum of an array, which says where it is touched at all. */
export function readersOf({ part, xAxis, lines }: PlotSpec): readonly ReadNumber[] {
  return xAxis === 'time' ? lines.map(({ path }) => numberAt(path)) : [(message) => sumOf(message[part])];
}

function sumOf(array: unknown): number {
  if (!isNumbers(array)) return Number.NaN;
  let sum = 0;
  for (let i = 0; i < array.length; i++) sum += Number(array[i]);
  return sum;
}
