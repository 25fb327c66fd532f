import { describe, expect, it } from 'vitest';
import { parseContract, readContract } from './contract-file.ts';
import { ContractError, UsageError } from './errors.ts';

const VALID = `kinescribe: 1
name: desk-arm
robot: { model: test-arm }
streams:
  joints:
    topic: /joint_states
    role: motion
    type: sensor_msgs/msg/JointState
    rateHz: 200
features:
  observation.state:
    kind: vector
    stream: joints
    field: position[name=joint1..joint3]
    shape: [3]
    toleranceSecs: 0.02
samples: { tickRateHz: 30 }
episode: { tasks: [pick up the block] }
`;

function issuesOf(text: string) {
  try {
    parseContract(text, 'c.yaml');
  } catch (error) {
    if (error instanceof ContractError) return error.issues;
    throw error;
  }
  return [];
}

describe('parseContract()', () => {
  it('fills in defaults and keeps the text and its digest', () => {
    const { contract, text, digest } = parseContract(VALID, 'c.yaml');
    expect(contract.streams.joints).toMatchObject({ required: true, toleratedLoss: 0 });
    expect(contract.features['observation.state']).toMatchObject({ align: 'hold', dtype: 'float32' });
    expect(contract.samples).toMatchObject({ clock: 'sensor', observationSteps: 1, padding: 'repeat' });
    expect(text).toBe(VALID);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  // [what, replaced text, replacement, line, path, words of the rule]
  it.each([
    ['a misspelt key', 'rateHz', 'rateHZ', 9, 'streams.joints.rateHZ', 'did you mean "rateHz"?'],
    ['an unknown key', 'rateHz: 200', 'colour: red', 9, 'streams.joints.colour', 'known keys: topic, role'],
    ['a wrong type', '200', 'fast', 9, 'streams.joints.rateHz', 'expected number'],
    ['a negative rate', '200', '-1', 9, 'streams.joints.rateHz', '>0'],
    ['an unknown role', 'motion', 'moving', 7, 'streams.joints.role', 'motion'],
    [
      'an unknown stream',
      'stream: joints',
      'stream: joint',
      13,
      'features.observation.state.stream',
      'did you mean "joints"?',
    ],
    [
      'a broken field path',
      '[name=joint1..joint3]',
      '[name=',
      14,
      'features.observation.state.field',
      'not understood',
    ],
    [
      'a missing key',
      '    toleranceSecs: 0.02\n',
      '',
      12,
      'features.observation.state.toleranceSecs',
      'expected number',
    ],
    [
      'a window of integers',
      'shape: [3]',
      'shape: [2, 3]\n    align: window\n    dtype: int64',
      16,
      'features.observation.state.align',
      'which dtype "int64" cannot hold',
    ],
    [
      'nothing to pick',
      '    field: position[name=joint1..joint3]\n',
      '',
      12,
      'features.observation.state.field',
      'either "field" or "transform"',
    ],
    [
      'a pose of seven numbers',
      'field: position[name=joint1..joint3]',
      'transform: { target: base, source: hand }',
      15,
      'features.observation.state.shape',
      'has the shape [7]',
    ],
    [
      'units of two kinds',
      'shape: [3]',
      'shape: [3]\n    unit: m\n    sourceUnit: deg',
      17,
      'features.observation.state.sourceUnit',
      '"unit" is "m"',
    ],
    [
      'a picture that no intrinsics can follow',
      'field: position[name=joint1..joint3]\n    shape: [3]',
      'field: k\n    shape: [3, 3]\n    intrinsicsOf: front',
      16,
      'features.observation.state.intrinsicsOf',
      'no picture is named "front"',
    ],
    [
      'a misspelt kind of outcome',
      'features:',
      'features:\n  next.reward: { kind: outcome, value: rewards }',
      11,
      'features.next.reward.value',
      'expected one of "reward"|"done"',
    ],
    [
      'a misspelt key of a depth map',
      'features:',
      'features:\n  depth: { kind: depth, stream: joints, toleranceSecs: 1, width: 2, heigth: 2, height: 2 }',
      11,
      'features.depth.heigth',
      'did you mean "height"',
    ],
    ['another version', 'kinescribe: 1', 'kinescribe: 2', 1, 'kinescribe', 'expected 1'],
  ])('points at %s', (_what, from, to, line, path, rule) => {
    expect(issuesOf(VALID.replace(from, to))).toMatchObject([
      { position: { file: 'c.yaml', line }, path, rule: expect.stringContaining(rule) },
    ]);
  });

  it('lists every fault, not only the first', () => {
    const text = VALID.replace('200', '-1').replace('tickRateHz: 30', 'tickRateHz: 0');
    expect(issuesOf(text).map(({ path }) => path)).toEqual(['streams.joints.rateHz', 'samples.tickRateHz']);
  });

  it('takes merge keys, and says only once what is wrong with broken YAML', () => {
    const second = '  other: { <<: *joints, topic: /other }\nfeatures:';
    const text = VALID.replace('joints:', 'joints: &joints').replace('features:', second);
    expect(parseContract(text, 'c.yaml').contract.streams.other).toMatchObject({
      rateHz: 200,
      topic: '/other',
    });
    expect(issuesOf(VALID.replace('{ tickRateHz: 30 }', '{ tickRateHz: 30, a[0]: 1 }'))).toHaveLength(1);
  });

  it('refuses two streams on one topic', () => {
    const second =
      '  other: { topic: /joint_states, role: motion, type: sensor_msgs/msg/JointState }\nfeatures:';
    expect(issuesOf(VALID.replace('features:', second))).toMatchObject([
      { path: 'streams.other.topic', rule: expect.stringContaining('"joints" already has topic') },
    ]);
  });

  it.each([
    ['YAML that does not parse', 'a: [1, 2\n', 'c.yaml:2'],
    ['a key given twice', `${VALID}name: again\n`, 'c.yaml:19'],
    ['an empty file', '', 'c.yaml:1:1'],
    ['a list', '- 1\n', 'c.yaml:1'],
  ])('reports %s with its line', (_what, text, where) => {
    expect(() => parseContract(text, 'c.yaml')).toThrow(where);
  });
});

describe('readContract()', () => {
  it('names a file that is not there', async () => {
    await expect(readContract('/nowhere/c.yaml')).rejects.toThrow(UsageError);
  });
});
