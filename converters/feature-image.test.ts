import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { encodeJpeg } from '../schemas/image-codec.ts';
import {
  allFrames,
  joints,
  type TestMessage,
  type TestStream,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';
import type { ImageValue } from './frame.ts';

/** Two pixels wide, one high: the left one red-ish, the right one blue-ish. */
const RED_BLUE = [200, 10, 20, 30, 40, 250];

const raw = (encoding: string, data: readonly number[], step: number) => ({
  height: 1,
  width: 2,
  encoding,
  is_bigendian: 0,
  step,
  data: Uint8Array.from(data),
});

function camera(
  messages: readonly TestMessage[],
  type: TestStream['type'] = 'sensor_msgs/msg/Image',
): TestStream {
  return { topic: '/camera', type, messages };
}

async function pictures(
  streams: readonly TestStream[],
  { width = 2, height = 1, rest = '', required = true } = {},
): Promise<ImageValue[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  const type = streams[0]!.type;
  const contract = testContract(`
streams:
  camera: { topic: /camera, role: perception, type: ${type}, required: ${required} }
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState, required: false }
features:
  image: { kind: image, stream: camera, width: ${width}, height: ${height}, toleranceSecs: 0.1${rest} }
  arm: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 1 }
samples: { tickRateHz: 10 }`);
  const { frames } = await allFrames(file, contract);
  return frames.map(({ values }) => {
    const value = values.get('image')!;
    if (value.kind !== 'image') throw new TypeError('not a picture');
    return value;
  });
}

test.each([
  ['rgb8', RED_BLUE, 6],
  ['bgr8', [20, 10, 200, 250, 40, 30], 6],
  ['rgba8', [200, 10, 20, 255, 30, 40, 250, 0], 8],
  ['bgra8', [20, 10, 200, 255, 250, 40, 30, 0], 8],
  ['rgb8', [...RED_BLUE, 99, 99], 8], // a row padded to a multiple of four bytes
])('episodeFrames() reads pixels of %s', async (encoding, bytes, step) => {
  const [picture] = await pictures([camera([{ log: 0, value: raw(encoding, bytes, step) }])]);
  expect([...picture!.pixels]).toEqual(RED_BLUE);
});

test('episodeFrames() spreads mono8 over three colours', async () => {
  const [picture] = await pictures([camera([{ log: 0, value: raw('mono8', [7, 9], 2) }])]);
  expect([...picture!.pixels]).toEqual([7, 7, 7, 9, 9, 9]);
});

test('episodeFrames() fills in the colours that a Bayer sensor leaves out', async () => {
  const value = { ...raw('bayer_rggb8', [200, 90, 90, 30], 2), height: 2 };
  const [picture] = await pictures([camera([{ log: 0, value }])], { width: 2, height: 2 });
  expect([...picture!.pixels]).toEqual(Array.from({ length: 4 }, () => [200, 90, 30]).flat());
});

test.each([
  ['', [64, 192, 64, 192]],
  [', fit: letterbox', [64, 192, 0, 0]],
  [', fit: crop', [96, 160, 96, 160]],
])('episodeFrames() brings pictures to size%s', async (rest, expected) => {
  // Four columns by two rows whose grey rises from left to right, brought to two by two.
  const grey = [32, 96, 160, 224];
  const value = { ...raw('mono8', [...grey, ...grey], 4), width: 4, height: 2 };
  const [picture] = await pictures([camera([{ log: 0, value }])], { width: 2, height: 2, rest });
  const found = [...picture!.pixels].filter((_, i) => i % 3 === 0);
  expect(found).toHaveLength(4);
  // The kernel overshoots a little at edges.
  for (const [i, grey] of expected.entries()) expect(Math.abs(found[i]! - grey)).toBeLessThanOrEqual(4);
});

test('episodeFrames() swaps red and blue where a trainer wants them so', async () => {
  const sent = [{ log: 0, value: raw('rgb8', RED_BLUE, 6) }];
  const [picture] = await pictures([camera(sent)], { rest: ', colorOrder: bgr' });
  expect([...picture!.pixels]).toEqual([20, 10, 200, 250, 40, 30]);
});

test.each([
  ['sensor_msgs/msg/Image', async (pixels: Uint8Array) => ({ ...raw('mono8', [...pixels], 4), width: 4 })],
  [
    'sensor_msgs/msg/CompressedImage',
    async (pixels: Uint8Array) => ({
      format: 'png',
      data: await sharp(pixels, { raw: { width: 4, height: 1, channels: 1 } })
        .png()
        .toBuffer(),
    }),
  ],
] as const)('episodeFrames() takes a part of a %s', async (type, value) => {
  const sent = [{ log: 0, value: await value(Uint8Array.of(10, 20, 30, 40)) }];
  const [picture] = await pictures([camera(sent, type)], {
    rest: ', crop: { x: 1, y: 0, width: 2, height: 1 }',
  });
  expect([...picture!.pixels]).toEqual([20, 20, 20, 30, 30, 30]);
  await expect(
    pictures([camera(sent, type)], { rest: ', crop: { x: 3, y: 0, width: 2, height: 1 }' }),
  ).rejects.toThrow(/the crop of 2×1 at 3, 0 does not lie within a picture of 4×1/);
});

test('episodeFrames() decodes a compressed picture, once for all ticks that show it', async () => {
  const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => [180, 60, 20][i % 3]!);
  const data = await encodeJpeg({ pixels, width: 16, height: 16 }, 95);
  const sent = { log: 0, value: { format: 'jpeg', data } };
  const shown = await pictures(
    [
      camera([sent, { ...sent, log: 70 }, { ...sent, log: 380 }], 'sensor_msgs/msg/CompressedImage'),
      joints('/arm', { 0: [0] }),
    ],
    { width: 8, height: 8, required: false },
  );
  expect(shown.map(({ valid }) => valid)).toEqual([true, true, false, false]);
  const [red, green, blue] = shown[0]!.pixels;
  expect([red! - 180, green! - 60, blue! - 20].every((error) => Math.abs(error) <= 4)).toBe(true);
  // From 70 ms on it is the second message's picture; ticks that may not use it any more still show it.
  expect(shown[1]!.pixels).not.toBe(shown[0]!.pixels);
  expect(shown[2]!.pixels).toBe(shown[1]!.pixels);
  expect(shown[3]!.pixels).toBe(shown[1]!.pixels);
});

test('episodeFrames() shows black until the first picture', async () => {
  const shown = await pictures(
    [camera([{ log: 200, value: raw('rgb8', RED_BLUE, 6) }]), joints('/arm', { 0: [0], 200: [2] })],
    { required: false },
  );
  expect(shown.map(({ valid, ageNanos, pixels }) => [valid, ageNanos, ...pixels])).toEqual([
    [false, undefined, 0, 0, 0, 0, 0, 0],
    [false, undefined, 0, 0, 0, 0, 0, 0],
    [true, 0n, ...RED_BLUE],
  ]);
});

test.each([
  [
    'an encoding of its own',
    camera([{ log: 0, value: raw('yuv422', [1, 2, 3, 4], 4) }]),
    /encoding "yuv422" is not one of rgb8, bgr8/,
  ],
  [
    'too few bytes',
    camera([{ log: 0, value: raw('rgb8', [1, 2, 3], 6) }]),
    /2×1 pixels of 3 bytes in rows of 6 bytes do not fit into 3 bytes/,
  ],
  [
    'no JPEG inside',
    camera(
      [{ log: 0, value: { format: 'jpeg', data: Uint8Array.of(1, 2, 3) } }],
      'sensor_msgs/msg/CompressedImage',
    ),
    /"sensor_msgs\/msg\/CompressedImage" on "\/camera" does not become a picture/,
  ],
  ['another type', { ...joints('/camera', { 0: [0] }) }, /the type is not one of/],
])('episodeFrames() refuses a picture with %s', async (_, stream, message) => {
  await expect(pictures([stream])).rejects.toThrow(message);
});
