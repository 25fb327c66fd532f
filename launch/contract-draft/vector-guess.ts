import { PickFault, pickNumbers } from '../../converters/feature-pick.ts';
import { parseFieldPath } from '../../schemas/field-path.ts';
import type { MessageValue } from '../../schemas/message.ts';

/** The numbers of a stream that a feature could hold. */
export interface VectorGuess {
  /** Field paths, concatenated. */
  readonly fields: readonly string[];
  readonly shape: readonly number[];
  readonly names?: readonly string[];
  readonly unit?: string;
  readonly dtype?: 'float64';
  /** What the guess is founded on. */
  readonly because: string;
}

interface KnownType {
  readonly fields: readonly string[];
  readonly names?: readonly string[];
  readonly unit?: string;
}

const XYZ = ['x', 'y', 'z'];
const WRENCH = { names: ['fx', 'fy', 'fz', 'tx', 'ty', 'tz'], unit: 'N, torque Nm' };
const POSE = { names: [...XYZ, 'qx', 'qy', 'qz', 'qw'], unit: 'm, quaternion' };
const TWIST = { names: ['vx', 'vy', 'vz', 'wx', 'wy', 'wz'], unit: 'm/s, rad/s' };

/** Types whose numbers of interest are the same on every robot, by name without package. */
const KNOWN_TYPES: Readonly<Record<string, KnownType>> = {
  WrenchStamped: { fields: ['wrench.force', 'wrench.torque'], ...WRENCH },
  Wrench: { fields: ['force', 'torque'], ...WRENCH },
  PoseStamped: { fields: ['pose.position', 'pose.orientation'], ...POSE },
  Pose: { fields: ['position', 'orientation'], ...POSE },
  TransformStamped: { fields: ['transform.translation', 'transform.rotation'], ...POSE },
  TwistStamped: { fields: ['twist.linear', 'twist.angular'], ...TWIST },
  Twist: { fields: ['linear', 'angular'], ...TWIST },
  Imu: {
    fields: ['angular_velocity', 'linear_acceleration'],
    names: ['wx', 'wy', 'wz', 'ax', 'ay', 'az'],
    unit: 'rad/s, m/s²',
  },
  Odometry: {
    fields: ['pose.pose.position', 'pose.pose.orientation', 'twist.twist.linear', 'twist.twist.angular'],
    names: [...POSE.names, ...TWIST.names],
    unit: 'm, quaternion, m/s, rad/s',
  },
};

/** A vector this long is a picture or a cloud in disguise. */
const MAX_ELEMENTS = 4096;
/** Whole numbers beyond this are not exact as float32. */
const FLOAT32_EXACT = 2 ** 24;

/**
 * Guesses which numbers of a message a feature would hold. What is returned was tried on every sample.
 *
 * @returns the guess, or in one sentence without a full stop why there is none.
 */
export function guessVector(type: string, samples: readonly MessageValue[]): VectorGuess | string {
  const [first] = samples;
  if (!first) return 'no message was decoded';
  const shortType = type.replace(/^.*[/.]/, '');
  const known = KNOWN_TYPES[shortType];
  if (/^JointState$/.test(shortType)) return guessJoints(samples);
  if (known) {
    const count = countEverywhere(known.fields, samples);
    if (count !== undefined) {
      const { names, ...rest } = known;
      return finish(
        { ...rest, ...(names?.length === count && { names }), shape: [count], because: 'usual for the type' },
        samples,
      );
    }
  }
  return guessNumbers(first, samples);
}

/** Joints by name, so that the order in which a driver happens to list them does not matter. */
function guessJoints(samples: readonly MessageValue[]): VectorGuess | string {
  const field = ['position', 'velocity', 'effort'].find((each) =>
    samples.every((sample) => lengthOf(sample[each]) > 0),
  );
  if (!field) return 'positions, velocities and efforts are empty';
  const lists = samples.map(({ name }) => (Array.isArray(name) ? name.map(String) : []));
  const common = lists[0]!.filter(
    (name, i, all) => all.indexOf(name) === i && lists.every((list) => list.includes(name)),
  );
  const unit = { position: 'rad or m', velocity: 'rad/s or m/s', effort: 'Nm or N' }[field]!;
  const selectable =
    common.length > 0 && common.every((name) => /^[^,\]=]+$/.test(name) && !name.includes('..'));
  if (selectable) {
    const path = `${field}[name=${compactNames(common).join(',')}]`;
    if (countEverywhere([path], samples) === common.length) {
      const missing = new Set(lists.flat()).size - common.length;
      const because =
        missing > 0
          ? `the joints that every message holds; ${missing} others come only sometimes`
          : 'joint names of the messages';
      return finish({ fields: [path], shape: [common.length], names: common, unit, because }, samples);
    }
  }
  const count = countEverywhere([field], samples);
  if (count === undefined) return 'messages hold differing joints and have none in common';
  return finish(
    { fields: [field], shape: [count], unit, because: 'by position: the messages name no joints' },
    samples,
  );
}

/** joint1, joint2, joint3, finger → joint1..joint3, finger. */
function compactNames(names: readonly string[]): string[] {
  const runs: { stem: string; first: number; last: number; text: string }[] = [];
  for (const text of names) {
    const [, stem = '', digits] = /^(.*?\D|)([1-9]\d*|0)$/.exec(text) ?? [];
    const number = digits === undefined ? Number.NaN : Number(digits);
    const run = runs.at(-1);
    if (run && run.stem === stem && run.last + 1 === number) run.last = number;
    else runs.push({ stem, first: number, last: number, text });
  }
  return runs.map(({ stem, first, last, text }) => (last > first ? `${stem}${first}..${stem}${last}` : text));
}

/** Arrays of numbers where there are any, else every number of the message. */
function guessNumbers(first: MessageValue, samples: readonly MessageValue[]): VectorGuess | string {
  const paths = Object.keys(first).filter((name) => !/^(header|stamp|time|timestamp|seq)$/.test(name));
  const counted = paths
    .map((path) => ({ path, count: countEverywhere([path], samples), isArray: lengthOf(first[path]) > 0 }))
    .filter(({ count }) => count !== undefined && count > 0);
  const arrays = counted.filter(({ isArray, path }) => isArray && !/covariance/.test(path));
  const chosen = arrays.length > 0 ? arrays : counted.filter(({ isArray }) => !isArray);
  const elements = chosen.reduce((sum, { count }) => sum + count!, 0);
  if (chosen.length === 0) return 'its messages hold no numbers, or differing counts of them';
  if (elements > MAX_ELEMENTS) return `its messages hold ${elements} numbers`;
  const grid = chosen.length === 1 ? gridOf(first, elements) : undefined;
  return finish(
    {
      fields: chosen.map(({ path }) => path),
      shape: grid ?? [elements],
      because: grid ? 'rows and columns as the message says' : 'the numbers of the message',
    },
    samples,
  );
}

/** Rows and columns that the message itself tells. */
function gridOf(message: MessageValue, elements: number): number[] | undefined {
  for (const [rows, columns] of [
    ['rows', 'cols'],
    ['rows', 'columns'],
    ['height', 'width'],
  ] as const) {
    const [r, c] = [message[rows], message[columns]];
    if (typeof r === 'number' && typeof c === 'number' && r * c === elements && r > 1 && c > 1) return [r, c];
  }
  return undefined;
}

function finish(guess: VectorGuess, samples: readonly MessageValue[]): VectorGuess {
  const numbers = samples.flatMap((sample) => numbersOf(guess.fields, sample) ?? []);
  const isWide = numbers.some((number) => Number.isInteger(number) && Math.abs(number) > FLOAT32_EXACT);
  return isWide ? { ...guess, dtype: 'float64' } : guess;
}

/** How many numbers the paths lead to, if it is the same in every sample. */
function countEverywhere(fields: readonly string[], samples: readonly MessageValue[]): number | undefined {
  const counts = new Set(samples.map((sample) => numbersOf(fields, sample)?.length));
  return counts.size === 1 ? [...counts][0] : undefined;
}

function numbersOf(fields: readonly string[], sample: MessageValue): number[] | undefined {
  const numbers: number[] = [];
  try {
    for (const field of fields) {
      const parsed = parseFieldPath(field);
      if ('fault' in parsed) return undefined;
      pickNumbers(sample, parsed.path, numbers);
    }
    return numbers;
  } catch (error) {
    if (error instanceof PickFault) return undefined;
    throw error;
  }
}

function lengthOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return ArrayBuffer.isView(value) && 'length' in value ? Number(value.length) : 0;
}
