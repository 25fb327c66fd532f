import { expect, test } from 'vitest';
import { UsageError } from '../../schemas/errors.ts';
import { checkFaults, type Fault, isActive } from './faults.ts';
import { TOPICS } from './streams.ts';

const span = { fromSecs: 1, forSecs: 2 };

test.each<[Fault, RegExp]>([
  [
    { kind: 'drop', topic: TOPICS.wrench, fromSecs: -1, forSecs: 1 },
    /begin at 0 s or later.*found -1 s for 1 s/,
  ],
  [{ kind: 'drop', topic: TOPICS.wrench, fromSecs: 1, forSecs: 0 }, /last longer than 0 s/],
  [
    { kind: 'drop', topic: TOPICS.tfStatic, ...span },
    /"\/tf_static" is not one of the robot's periodic topics/,
  ],
  [
    { kind: 'jitter', topic: TOPICS.wrench, amplitudeSecs: 0.001, ...span },
    /0\.4 periods \(0\.0008 s\).*found 0\.001 s/,
  ],
  [
    { kind: 'black-camera', topic: TOPICS.wrench, ...span },
    /"\/wrist\/wrench" is not one of \/camera\/front/,
  ],
  [{ kind: 'stuck-joint', joint: 'joint8', ...span }, /"joint8" is not one of joint1/],
  [
    { kind: 'joint-offset', joint: 'finger_joint1', radians: 1, ...span },
    /"finger_joint1" is not one of joint1/,
  ],
  [{ kind: 'exposure', topic: TOPICS.tactile, gain: 2, ...span }, /"\/gripper\/tactile" is not one of/],
  [{ kind: 'taken-block', fromSecs: 3, forSecs: 0 }, /last longer than 0 s/],
])('checkFaults() refuses %o', (fault, message) => {
  expect(() => checkFaults([{ kind: 'missed-grasp' }, fault])).toThrow(UsageError);
  expect(() => checkFaults([fault])).toThrow(message);
});

test.each([
  [0.999, false],
  [1, true],
  [2.999, true],
  [3, false],
])('isActive() takes the window as half-open: at %d s %s', (timeSecs, expected) => {
  expect(isActive(span, timeSecs)).toBe(expected);
});
