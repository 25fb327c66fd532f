import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { allFrames, type TestStream, testContract, writeTestEpisode } from './episode.fixture.ts';

const HALF = Math.SQRT1_2;

const INFO: TestStream = {
  topic: '/camera_info',
  type: 'sensor_msgs/msg/CameraInfo',
  messages: [0, 100].map((log) => ({
    log,
    value: {
      ...{ width: 640, height: 480, distortion_model: 'plumb_bob', d: [], binning_x: 0, binning_y: 0 },
      k: [600, 0, 319.5, 0, 600, 239.5, 0, 0, 1],
      r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      p: Array.from({ length: 12 }, () => 0),
    },
  })),
};
const PICTURES: TestStream = {
  topic: '/camera',
  type: 'sensor_msgs/msg/Image',
  messages: [0, 100].map((log) => ({
    log,
    value: {
      ...{ width: 640, height: 480, encoding: 'mono8', is_bigendian: 0, step: 640 },
      data: new Uint8Array(640 * 480),
    },
  })),
};
/** A quarter turn to the left, a metre ahead and two up. */
const FRAMES: TestStream = {
  topic: '/tf',
  type: 'tf2_msgs/msg/TFMessage',
  messages: [0, 100].map((log) => ({
    log,
    value: {
      transforms: [
        {
          header: { stamp: { sec: 1_700_000_000, nanosec: log * 1e6 }, frame_id: 'base' },
          child_frame_id: 'lens',
          transform: { translation: { x: 1, y: 0, z: 2 }, rotation: { x: 0, y: 0, z: HALF, w: HALF } },
        },
      ],
    },
  })),
};

test('episodeFrames() gives what a world model needs of a camera: its intrinsics as resized, and its place', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [INFO, PICTURES, FRAMES]);
  const { frames } = await allFrames(
    file,
    testContract(`
streams:
  info: { topic: /camera_info, role: perception, type: sensor_msgs/msg/CameraInfo }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/Image }
  tf: { topic: /tf, role: motion, type: tf2_msgs/msg/TFMessage }
features:
  front: { kind: image, stream: camera, width: 224, height: 224, fit: crop, toleranceSecs: 0.1 }
  intrinsics: { kind: vector, stream: info, field: k, shape: [3, 3], intrinsicsOf: front, toleranceSecs: 0.1 }
  extrinsics:
    kind: vector
    stream: tf
    transform: { target: base, source: lens }
    rotation: matrix
    shape: [4, 4]
    align: slerp
    toleranceSecs: 0.1
samples: { tickRateHz: 10 }`),
  );
  const numbers = (key: string) => {
    const value = frames[1]!.values.get(key)!;
    if (value.kind !== 'vector') throw new TypeError(value.kind);
    return [...value.elements].map((each) => Math.round(each * 1e9) / 1e9 || 0);
  };
  // 480 rows become 224, 640 columns become 298.67 rounded to 299, of which 38 are cut off the left.
  const [sx, sy] = [299 / 640, 224 / 480];
  const expected = [600 * sx, 0, 320 * sx - 38 - 0.5, 0, 600 * sy, 240 * sy - 0.5, 0, 0, 1];
  expect(numbers('intrinsics')).toEqual(expected.map((each) => Math.round(each * 1e9) / 1e9));
  expect(numbers('extrinsics')).toEqual([0, -1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1]);
});
