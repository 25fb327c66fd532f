import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConvertError } from '../schemas/errors.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { nanosToStamp } from '../schemas/time.ts';
import {
  allFrames,
  EPOCH,
  MILLI,
  type TestMessage,
  type TestStream,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';
import type { VectorValue } from './frame.ts';

const half = Math.SQRT1_2;
const TF = 'tf2_msgs/msg/TFMessage';

/** `parent > child`, its position and turn about z in radians, at a stamp in milliseconds. */
type Placed = readonly [
  frames: string,
  position: readonly [number, number, number],
  yaw: number,
  stamp: number,
];

function sent(log: number, placed: readonly Placed[]): TestMessage {
  const transforms = placed.map(([frames, [x, y, z], yaw, stamp]) => {
    const [parent, child] = frames.split(' > ');
    return {
      header: { stamp: nanosToStamp(EPOCH + BigInt(stamp) * MILLI), frame_id: parent },
      child_frame_id: child,
      transform: {
        translation: { x, y, z },
        rotation: { x: 0, y: 0, z: Math.sin(yaw / 2), w: Math.cos(yaw / 2) },
      },
    };
  });
  return { log, value: { transforms } };
}

const moving = (...messages: TestMessage[]): TestStream => ({ topic: '/tf', type: TF, messages });
const fixed = (...placed: Placed[]): TestStream => ({
  topic: '/tf_static',
  type: TF,
  messages: [sent(0, placed)],
});

/** The arm turns a quarter in 200 ms and moves by 1 m along x; the hand sits 1 m along the arm's x. */
const ARM = moving(
  sent(2, [['base > arm', [0, 0, 0], 0, 0]]),
  sent(103, [['base > arm', [0.5, 0, 0], Math.PI / 4, 100]]),
  sent(203, [['/base > /arm', [1, 0, 0], Math.PI / 2, 200]]),
);
const FIXED = fixed(['arm > hand', [1, 0, 0], 0, 0], ['base > camera', [0, 0, 2], Math.PI, 0]);

async function posesOf(streams: readonly TestStream[], feature: string, more = ''): Promise<VectorValue[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  const contract = testContract(`
streams:
  tf: { topic: /tf, role: motion, type: ${TF}${more} }
  tf_static: { topic: /tf_static, role: context, type: ${TF} }
features: { f: { kind: vector, stream: tf, ${feature} } }
samples: { tickRateHz: 10 }`);
  const { frames } = await allFrames(file, contract);
  return frames.map(({ values }) => values.get('f') as VectorValue);
}

const rounded = ({ elements }: VectorValue) => [...elements].map((value) => +value.toFixed(6) + 0);
const [s, c] = [Math.sin(Math.PI / 8), Math.cos(Math.PI / 8)].map((value) => +value.toFixed(6));
const h = +half.toFixed(6);

test.each([
  [
    'a frame on a moving one',
    'base',
    'hand',
    [
      [1, 0, 0, 0, 0, 0, 1],
      [0.5 + h, h, 0, 0, 0, s, c],
      [1, 1, 0, 0, 0, h, h],
    ],
  ],
  [
    'the inverse',
    'hand',
    'base',
    [
      [-1, 0, 0, 0, 0, 0, 1],
      [-1 - 0.5 * h, 0.5 * h, 0, 0, 0, -s!, c],
      [-1, 1, 0, 0, 0, -h, h],
    ],
  ],
  [
    'two branches of the tree',
    'camera',
    'hand',
    [
      [-1, 0, -2, 0, 0, -1, 0],
      [-0.5 - h, -h, -2, 0, 0, -c!, s],
      [-1, -1, -2, 0, 0, -h, h],
    ],
  ],
  [
    'fixed frames alone',
    'camera',
    'base',
    [
      [0, 0, -2, 0, 0, -1, 0],
      [0, 0, -2, 0, 0, -1, 0],
      [0, 0, -2, 0, 0, -1, 0],
    ],
  ],
])('TransformReader places %s, target-from-source', async (_, target, source, expected) => {
  const feature = `transform: { target: ${target}, source: ${source}, static: tf_static }, shape: [7], toleranceSecs: 0.05`;
  // A second moving frame keeps the episode going where the pose itself is fixed.
  const poses = await posesOf(
    [ARM, FIXED],
    target === 'camera' && source === 'base'
      ? `${feature} }, g: { kind: vector, stream: tf, transform: { target: base, source: arm }, shape: [7], toleranceSecs: 0.05`
      : feature,
  );
  const close = poses.map((pose) =>
    rounded(pose).map((value, i) => [value, expected[poses.indexOf(pose)]![i]!]),
  );
  expect(close).toHaveLength(3);
  for (const [found, wanted] of close.flat()) expect(found).toBeCloseTo(wanted!, 5);
});

test('TransformReader turns and moves between two transforms by slerp', async () => {
  const [, between] = await posesOf(
    [
      moving(
        sent(0, [['base > arm', [0, 0, 0], 0, 0]]),
        sent(50, [['base > arm', [0, 0, 0], 0, 50]]),
        sent(150, [['base > arm', [1, 2, 0], Math.PI / 2, 150]]),
      ),
      FIXED,
    ],
    'transform: { target: base, source: arm }, rotation: rpy, shape: [6], align: slerp, toleranceSecs: 0.05',
  );
  expect(rounded(between!)).toEqual([0.5, 1, 0, 0, 0, 0.785398]);
  expect(between!.ageNanos).toBe(50n * MILLI);
});

test('TransformReader is as old as its oldest link, and masked when that is too old', async () => {
  const poses = await posesOf(
    [
      moving(
        sent(0, [
          ['base > arm', [0, 0, 0], 0, 0],
          ['arm > tip', [1, 0, 0], 0, 0],
        ]),
        sent(100, [['base > arm', [0, 0, 0], 0, 90]]),
        sent(101, [['arm > tip', [2, 0, 0], 0, 70]]),
        sent(200, [['base > arm', [0, 0, 0], 0, 200]]),
        sent(300, [
          ['base > arm', [0, 0, 0], 0, 300],
          ['arm > tip', [3, 0, 0], 0, 300],
        ]),
      ),
      FIXED,
    ],
    'transform: { target: base, source: tip }, shape: [7], toleranceSecs: 0.05',
  );
  expect(poses.map(({ valid, ageNanos, elements }) => [valid, Number(ageNanos) / 1e6, elements[0]])).toEqual([
    [true, 0, 1],
    [true, 30, 2],
    [false, 130, Number.NaN],
    [true, 0, 3],
  ]);
});

test('TransformReader goes by the time of receipt where the stream says so', async () => {
  const poses = await posesOf(
    [ARM, FIXED],
    'transform: { target: base, source: arm }, shape: [7], toleranceSecs: 0.2',
    ', clock: log',
  );
  // Ticks begin at 2 ms; at 102 ms the second message is still to come.
  expect(poses.map(({ elements }) => elements[0])).toEqual([0, 0, 0.5]);
});

test.each<[string, TestStream[], string, RegExp]>([
  ['a frame is misspelt', [ARM, FIXED], 'source: hnad', /there is no frame "hnad"; did you mean "hand"\?/],
  ['the trees are apart', [ARM, fixed(['map > goal', [0, 0, 0], 0, 0])], 'source: goal', /not connected/],
  [
    'a frame has two parents',
    [moving(...ARM.messages, sent(210, [['map > arm', [0, 0, 0], 0, 210]])), FIXED],
    'source: arm',
    /frame "arm" in .* has the parents base and map/,
  ],
])('planTransforms() says what to do when %s', async (_, streams, source, message) => {
  const failure = posesOf(
    streams,
    `transform: { target: base, ${source}, static: tf_static }, shape: [7], toleranceSecs: 0.05`,
  );
  await expect(failure).rejects.toThrow(message);
  await expect(failure).rejects.toBeInstanceOf(ConvertError);
});
