import type { Contract } from './contract.ts';

/**
 * What of two contracts makes their episodes unequal: the robot, the streams, the features and the samples.
 * Tasks, operators, scenes, objects and the takes' lengths may change from one session to the next.
 *
 * @returns one line per difference, `streams.joints.rateHz: 200 → 100`; empty when they agree.
 */
export function contractDifferences(before: Contract, now: Contract): readonly string[] {
  return (['robot', 'streams', 'features', 'samples'] as const).flatMap((section) =>
    differences(section, before[section], now[section]),
  );
}

function differences(path: string, before: unknown, now: unknown): string[] {
  if (isObject(before) && isObject(now)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...keys].flatMap((key) => differences(`${path}.${key}`, before[key], now[key]));
  }
  const [a, b] = [JSON.stringify(before), JSON.stringify(now)];
  return a === b ? [] : [`${path}: ${a ?? 'absent'} → ${b ?? 'absent'}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
