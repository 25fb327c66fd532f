import { describe, expect, test } from 'vitest';
import { cleanArm, judge, observation, picture } from './arm.fixture.ts';
import { INTERACTION_CHECKS } from './interaction/interaction-checks.ts';
import { MOTION_CHECKS } from './motion/motion-checks.ts';
import type { Observation } from './observation.ts';
import { VISION_CHECKS } from './vision/vision-checks.ts';

const CHECKS = [...VISION_CHECKS, ...MOTION_CHECKS, ...INTERACTION_CHECKS];
const ALL = ['description', 'joints', 'commands', 'wrench', 'tactile', 'tf'];

const clean = cleanArm(1, ALL);
const looks = [0.1, 0.3, 0.5].map((secs) => observation('camera', secs, { picture: picture(() => 0) }));

/** Real recordings end early, hold one message of a topic, or repeat an instant. */
const EPISODES: readonly (readonly [string, readonly Observation[]])[] = [
  ['nothing', []],
  [
    'one message of each stream',
    ALL.flatMap((name) => clean.find(({ stream }) => stream.name === name) ?? []),
  ],
  ['one picture', looks.slice(0, 1)],
  ['half a second', [...clean.filter(({ logTime }) => logTime < clean[0]!.logTime + 500_000_000n), ...looks]],
  [
    'one instant',
    clean.slice(0, 400).map((each) => ({ ...each, logTime: clean[0]!.logTime, sensorTime: undefined })),
  ],
  ['messages that do not decode', clean.map((each) => ({ ...each, value: undefined, fault: 'too short' }))],
  ['numbers that are none', clean.map((each) => ({ ...each, value: withoutNumbers(each.value) }))],
];

/** Every number becomes NaN, texts and shapes stay. */
function withoutNumbers<T>(value: T): T {
  const text = JSON.stringify(value, (_, each) => (ArrayBuffer.isView(each) ? [] : each)) ?? 'null';
  return JSON.parse(text, (_, each) => (typeof each === 'number' ? Number.NaN : each));
}

describe('checks of odd episodes', () => {
  test.each(EPISODES)('never throw and give finite numbers: %s', (_, take) => {
    const findings = judge(CHECKS, take);
    const numbers = findings.flatMap(({ check, value = 0, evidence }) =>
      [value, ...Object.values(evidence).flat()]
        .filter((each) => each === undefined || Number.isNaN(each))
        .map(() => check),
    );
    expect(numbers).toEqual([]);
    expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(CHECKS.map(({ id }) => id)));
  });
});
