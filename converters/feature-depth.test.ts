import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import type { MessageValue } from '../schemas/message.ts';
import { allFrames, jointState, type TestType, testContract, writeTestEpisode } from './episode.fixture.ts';

async function depthOf(type: TestType, message: MessageValue, rest: string) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [{ topic: '/depth', type, messages: [{ log: 0, value: message }] }]);
  const { frames } = await allFrames(
    file,
    testContract(`
streams: { depth: { topic: /depth, role: perception, type: ${type} } }
features: { depth: { kind: depth, stream: depth, toleranceSecs: 0.1, ${rest} } }
samples: { tickRateHz: 10 }`),
  );
  const value = frames[0]!.values.get('depth')!;
  if (value.kind !== 'vector') throw new TypeError(value.kind);
  return value.elements;
}

/** Rows of depths, each two bytes longer than its pixels. */
function raw(encoding: '16UC1' | '32FC1', rows: number[][], isBigEndian = false): MessageValue {
  const [width, height, size] = [rows[0]!.length, rows.length, encoding === '32FC1' ? 4 : 2];
  const step = width * size + 2;
  const view = new DataView(new ArrayBuffer(height * step));
  for (const [y, row] of rows.entries()) {
    for (const [x, depth] of row.entries()) {
      if (size === 4) view.setFloat32(y * step + x * 4, depth, !isBigEndian);
      else view.setUint16(y * step + x * 2, depth, !isBigEndian);
    }
  }
  const data = new Uint8Array(view.buffer);
  return { width, height, step, encoding, is_bigendian: Number(isBigEndian), data };
}

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const SIZE = 'width: 2, height: 2';

test.each<[string, MessageValue, string, number[]]>([
  [
    '16UC1 to metres',
    raw('16UC1', [
      [1000, 0],
      [500, 65_535],
    ]),
    SIZE,
    [1, nan, 0.5, 65.535],
  ],
  [
    'big-endian rows',
    raw(
      '16UC1',
      [
        [1000, 2000],
        [3000, 4000],
      ],
      true,
    ),
    SIZE,
    [1, 2, 3, 4],
  ],
  [
    '16UC1 as it is',
    raw('16UC1', [
      [1000, 0],
      [500, 65_535],
    ]),
    `${SIZE}, unit: mm`,
    [1000, 0, 500, 65_535],
  ],
  [
    '32FC1 as it is',
    raw('32FC1', [
      [1.5, inf],
      [nan, -inf],
    ]),
    SIZE,
    [1.5, nan, nan, nan],
  ],
  [
    'no depth of 32FC1 that is none',
    raw('32FC1', [
      [0, -1],
      [-0, 0.25],
    ]),
    SIZE,
    [nan, nan, nan, 0.25],
  ],
  [
    '32FC1 to millimetres',
    raw('32FC1', [
      [1.5, inf],
      [0.0004, 70],
    ]),
    `${SIZE}, unit: mm`,
    [1500, 0, 0, 0],
  ],
  [
    'millimetres in 32FC1',
    raw('32FC1', [
      [1500, nan],
      [1, 2],
    ]),
    `${SIZE}, sourceUnit: mm`,
    [1.5, nan, Math.fround(0.001), Math.fround(0.002)],
  ],
  [
    'every second pixel',
    raw('16UC1', [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
      [13, 14, 15, 16],
    ]),
    `${SIZE}, unit: mm`,
    [6, 8, 14, 16],
  ],
  [
    'bars of nothing',
    raw('16UC1', [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]),
    'width: 4, height: 4, fit: letterbox, unit: mm',
    [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0],
  ],
  [
    'the middle',
    raw('16UC1', [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]),
    `${SIZE}, fit: crop, unit: mm`,
    [2, 3, 6, 7],
  ],
  [
    'a part',
    raw('16UC1', [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]),
    `${SIZE}, unit: mm, crop: { x: 2, y: 0, width: 2, height: 2 }`,
    [3, 4, 7, 8],
  ],
])('DepthReader takes %s', async (_, message, rest, expected) => {
  expect([...(await depthOf('sensor_msgs/msg/Image', message, rest))]).toEqual(expected.map(Math.fround));
});

function png(values: readonly number[]): Promise<Buffer> {
  return sharp(Uint16Array.from(values), { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
}

/** What compressed_depth_image_transport puts before the PNG: an int32 and its two float32 parameters. */
function configured(picture: Uint8Array, [a, b] = [0, 0]): Uint8Array {
  const header = new DataView(new ArrayBuffer(12));
  header.setFloat32(4, a, true);
  header.setFloat32(8, b, true);
  return Buffer.concat([new Uint8Array(header.buffer), picture]);
}

test.each<[string, number[], (picture: Uint8Array) => Uint8Array, number[]]>([
  ['16UC1; png compressed ', [1000, 0, 500, 65_535], (picture) => picture, [1, nan, 0.5, 65.535]],
  [
    '16UC1; compressedDepth png',
    [1000, 0, 500, 65_535],
    (picture) => configured(picture),
    [1, nan, 0.5, 65.535],
  ],
  ['16UC1', [1000, 0, 500, 65_535], (picture) => configured(picture), [1, nan, 0.5, 65.535]],
  // depth = 100 / (value - 1)
  ['32FC1; compressedDepth', [101, 0, 51, 201], (picture) => configured(picture, [100, 1]), [1, nan, 2, 0.5]],
])('DepthReader decodes a CompressedImage of format "%s"', async (format, values, wrap, expected) => {
  const message = { format, data: wrap(await png(values)) };
  const depths = await depthOf('sensor_msgs/msg/CompressedImage', message, SIZE);
  expect([...depths]).toEqual(expected.map(Math.fround));
});

/**
 * Made by the plugin's own C++: the codec of ros-perception/image_transport_plugins at 7404d77, behind the header and
 * the quantisation of `encodeCompressedDepthImage()` (depth_quantization 100, depth_max 10), g++ on x86-64.
 */
const RVL_16UC1 = Buffer.from(
  '000000000000000000000000070000000300000023f38a23f38c8e1235f3ffbff3ffce8111ffff1bf1ffdc1200000022',
  'hex',
);
/** Of 0.5, 0.75, NaN, 1 / infinite, 2.5, infinite below zero, 9.99 / 10, 12, 0.16, 3.3333 metres. */
const RVL_32FC1 = Buffer.from(
  '0000000000d01d4600407cc4040000000300000091faed021b31aabbfa13d1998ee928df32cfb8393dae8d2c0030adfd',
  'hex',
);

test('DepthReader decodes RVL of 16UC1', async () => {
  const message = { format: '16UC1; compressedDepth rvl', data: RVL_16UC1 };
  const size = 'width: 7, height: 3, unit: mm';
  const depths = await depthOf('sensor_msgs/msg/CompressedImage', message, size);
  expect([...depths]).toEqual([
    ...[0, 0, 1000, 1001, 999, 0, 65_535],
    ...[1, 0, 0, 0, 5, 65_535, 65_534],
    ...[32_768, 32_767, 0, 12, 13, 0, 0],
  ]);
});

test('DepthReader decodes RVL of 32FC1 to the very numbers of the plugin', async () => {
  const message = { format: '32FC1; compressedDepth rvl', data: RVL_32FC1 };
  const depths = await depthOf('sensor_msgs/msg/CompressedImage', message, 'width: 4, height: 3');
  // As its decoder says; it makes a depth of what is infinitely near, and 9.99 is coarse this far away.
  expect([...depths]).toEqual(
    [0.5, 0.750037134, nan, 1, nan, 2.5, 0.15411377, 9.99010849, nan, nan, 0.159999996, 3.33333325].map(
      Math.fround,
    ),
  );
});

const PNG_8 = await sharp(new Uint8Array([1, 2, 3, 4]), { raw: { width: 2, height: 2, channels: 1 } })
  .toColourspace('b-w')
  .png()
  .toBuffer();

test.each<[string, TestType, MessageValue, string, RegExp]>([
  [
    'colours',
    'sensor_msgs/msg/Image',
    {
      ...raw('16UC1', [
        [1, 2],
        [3, 4],
      ]),
      encoding: 'rgb8',
    },
    SIZE,
    /encoding "rgb8" is not one of 16UC1, 32FC1/,
  ],
  [
    'too few bytes',
    'sensor_msgs/msg/Image',
    {
      ...raw('16UC1', [
        [1, 2],
        [3, 4],
      ]),
      height: 3,
    },
    SIZE,
    /do not fit into 12 bytes/,
  ],
  [
    'a crop outside',
    'sensor_msgs/msg/Image',
    raw('16UC1', [
      [1, 2],
      [3, 4],
    ]),
    `${SIZE}, crop: { x: 1, y: 0, width: 2, height: 1 }`,
    /the crop of 2×1 at 1, 0 does not lie within a picture of 2×2/,
  ],
  [
    'RVL that was cut off',
    'sensor_msgs/msg/CompressedImage',
    { format: '16UC1; compressedDepth rvl', data: RVL_16UC1.subarray(0, 40) },
    SIZE,
    /does not become a depth map: its RVL ends in the middle of the picture, at byte 28/,
  ],
  [
    'no picture',
    'sensor_msgs/msg/CompressedImage',
    { format: '16UC1; png', data: new Uint8Array(20) },
    SIZE,
    /its 20 bytes are no PNG/,
  ],
  [
    'a picture of 8 bits',
    'sensor_msgs/msg/CompressedImage',
    { format: '16UC1; png', data: PNG_8 },
    SIZE,
    /1 channels of type uchar instead of one of 16 bits/,
  ],
  [
    'metres without their quantisation',
    'sensor_msgs/msg/CompressedImage',
    { format: '32FC1; png', data: await png([1, 2, 3, 4]) },
    SIZE,
    /does not say how metres were made whole numbers/,
  ],
  ['another type', 'sensor_msgs/msg/JointState', jointState([1]), SIZE, /the type is not one of/],
])('DepthReader says what is wrong with %s', async (_, type, message, rest, fault) => {
  await expect(depthOf(type, message, rest)).rejects.toThrow(fault);
});
