import { nearest } from '../../schemas/contract.ts';
import { UsageError } from '../../schemas/errors.ts';
import { unitFactor } from '../../schemas/units.ts';

/** What a LeRobot dataset never says of its numbers, and the SI unit that episodes hold; `none` stays as it is. */
const UNITS: Readonly<Record<string, string | undefined>> = {
  rad: 'rad',
  deg: 'rad',
  m: 'm',
  mm: 'm',
  none: undefined,
};

export const JOINT_UNITS: readonly string[] = Object.keys(UNITS);

/** What robots of LeRobot usually send; only suggested, since drivers have options for it. */
const USUAL: readonly (readonly [RegExp, string])[] = [
  [
    /so_?10[01]|koch|omx/i,
    '"--unit deg gripper.pos=none", or "--unit none" where joints were normalised to -100…100',
  ],
  [/aloha|trossen|unitree|franka|panda|xarm|ur\d/i, '"--unit rad"'],
];

/** How numbers of joints become radians and metres. */
export interface JointUnits {
  /** What each number is multiplied by. */
  readonly factors: readonly number[];
  /** Of all of them, or undefined where they differ or have none. */
  readonly unit: string | undefined;
}

/** What is known of joints whose unit is asked for. */
export interface JointNumbers {
  readonly feature: string;
  readonly names: readonly string[];
  /** Least and greatest number of each in some episode. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly robot: string;
}

/**
 * The units that a person declared: one for all joints, or `name=unit` for one of them.
 *
 * @throws {UsageError} when a joint's unit is not declared, or there is no such unit.
 */
export function jointUnits(declared: readonly string[], joints: JointNumbers): JointUnits {
  const own = new Map<string, string>();
  let common: string | undefined;
  for (const text of declared) {
    const [, name, unit = text] = /^(.+)=([^=]*)$/.exec(text) ?? [];
    if (!(unit in UNITS)) {
      throw new UsageError(`--unit must be one of ${JOINT_UNITS.join(', ')}, found "${unit}".`);
    }
    if (name === undefined) common = unit;
    else own.set(name, unit);
  }
  const units = joints.names.map((name) => own.get(name) ?? common);
  if (units.includes(undefined)) throw new UsageError(question(joints));
  const si = new Set(units.map((unit) => UNITS[unit!]));
  return {
    factors: units.map((unit) => unitFactor(unit!, UNITS[unit!] ?? '') ?? 1),
    unit: si.size === 1 ? [...si][0] : undefined,
  };
}

/** @throws {UsageError} when a unit was declared for a joint that no vector has. */
export function checkDeclaredNames(declared: readonly string[], names: readonly string[]): void {
  for (const text of declared) {
    const [, name] = /^(.+)=/.exec(text) ?? [];
    if (name === undefined || names.includes(name)) continue;
    const near = nearest(name, names);
    throw new UsageError(`--unit: no joint is named "${name}"${near ? `; did you mean "${near}"?` : ''}.`);
  }
}

const MOST_TOLD = 8;

function question({ feature, names, ranges, robot }: JointNumbers): string {
  const told = names.slice(0, MOST_TOLD).map((name, i) => `${name} ${ranges[i]!.map(short).join('…')}`);
  const more = names.length > MOST_TOLD ? `, and ${names.length - MOST_TOLD} more` : '';
  const usual = USUAL.find(([pattern]) => pattern.test(robot))?.[1];
  const hint = usual ? ` For robot "${robot}" it is mostly ${usual}.` : '';
  return (
    `Cannot import: the dataset does not say in which unit "${feature}" is. Its numbers: ${told.join(', ')}${more}. ` +
    `Declare it: "--unit rad", "--unit deg gripper.pos=none"; one of ${JOINT_UNITS.join(', ')}.${hint}`
  );
}

function short(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '');
}
