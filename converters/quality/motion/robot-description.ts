import type { Observation } from '../observation.ts';
import type { CheckedStream, Subject } from '../subject.ts';

/** What is declared of a joint; radians or metres, and per second. */
export interface JointLimits {
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
  readonly velocity?: number | undefined;
}

/** One joint of a URDF. */
export interface UrdfJoint extends JointLimits {
  readonly name: string;
  readonly type: string;
  readonly parent: string;
  readonly child: string;
  /** Of the child's frame in the parent's at position 0: metres, and roll, pitch, yaw. */
  readonly xyz: readonly [number, number, number];
  readonly rpy: readonly [number, number, number];
  readonly axis: readonly [number, number, number];
}

/** What the robot says of itself on `/robot_description`, and what the contract says of it. */
export class RobotDescription {
  readonly #declared: Readonly<Record<string, JointLimits>>;
  #joints: ReadonlyMap<string, UrdfJoint> = new Map();

  constructor({ contract }: Subject) {
    this.#declared = contract?.robot.limits?.joints ?? {};
  }

  get joints(): ReadonlyMap<string, UrdfJoint> {
    return this.#joints;
  }

  /** Takes a URDF; the last one holds. */
  observe({ value }: Observation): void {
    if (typeof value?.data === 'string') this.#joints = readUrdf(value.data);
  }

  /** The contract's word before the robot's. */
  limits(joint: string): JointLimits & { readonly isOfContract: boolean } {
    const declared = this.#declared[joint];
    const { lower, upper, velocity } = { ...this.#joints.get(joint), ...declared };
    return { lower, upper, velocity, isOfContract: declared !== undefined };
  }
}

export function isDescription({ topic, type }: CheckedStream): boolean {
  return /\/String$/.test(type) && /robot_description$/.test(topic);
}

/**
 * Joints of a URDF by name. Reads the few elements that are needed and nothing of the rest: what it does not
 * understand it leaves out, and the checks say that they lack it.
 */
export function readUrdf(xml: string): ReadonlyMap<string, UrdfJoint> {
  const joints = new Map<string, UrdfJoint>();
  const text = xml.replace(/<!--[\s\S]*?-->/g, '').replace(/<transmission[\s\S]*?<\/transmission>/g, '');
  for (const [, head = '', body = ''] of text.matchAll(/<joint\s([^>]*[^/])>([\s\S]*?)<\/joint>/g)) {
    const name = attribute(head, 'name');
    if (name === undefined) continue;
    const limit = element(body, 'limit');
    const isBounded = !/continuous|floating|fixed/.test(attribute(head, 'type') ?? '');
    joints.set(name, {
      name,
      type: attribute(head, 'type') ?? '',
      parent: attribute(element(body, 'parent'), 'link') ?? '',
      child: attribute(element(body, 'child'), 'link') ?? '',
      xyz: triple(attribute(element(body, 'origin'), 'xyz'), [0, 0, 0]),
      rpy: triple(attribute(element(body, 'origin'), 'rpy'), [0, 0, 0]),
      axis: triple(attribute(element(body, 'axis'), 'xyz'), [1, 0, 0]),
      lower: isBounded ? number(attribute(limit, 'lower')) : undefined,
      upper: isBounded ? number(attribute(limit, 'upper')) : undefined,
      velocity: number(attribute(limit, 'velocity')),
    });
  }
  return joints;
}

function element(body: string, name: string): string {
  return new RegExp(`<${name}\\s[^>]*>`).exec(body)?.[0] ?? '';
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}\\s*=\\s*["']([^"']*)["']`).exec(tag)?.[1];
}

function number(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function triple(
  text: string | undefined,
  otherwise: readonly [number, number, number],
): readonly [number, number, number] {
  const [x = Number.NaN, y = Number.NaN, z = Number.NaN] = (text ?? '').trim().split(/\s+/).map(Number);
  return [x, y, z].every(Number.isFinite) ? [x, y, z] : otherwise;
}
