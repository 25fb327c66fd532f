import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { nanosToStamp } from '../schemas/time.ts';
import {
  allFrames,
  EPOCH,
  MILLI,
  type TestStream,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';
import { greyLevel, greyPackets } from './grey-video.fixture.ts';
import { isKeyframe, type VideoCodec } from './video-packets.ts';

/** A picture every 100 ms. */
function video(codec: VideoCodec, { without = [] as number[], from = 0 } = {}): TestStream {
  const messages = greyPackets(codec).map((data, i) => ({
    log: i * 100,
    value: {
      timestamp: nanosToStamp(EPOCH + BigInt(i * 100) * MILLI),
      ...{ frame_id: 'camera', data, format: codec },
    },
  }));
  return {
    topic: '/video',
    type: 'foxglove_msgs/msg/CompressedVideo',
    messages: messages.filter((_, i) => i >= from && !without.includes(i)),
  };
}

async function greys(stream: TestStream, { rateHz = 10, rest = '' } = {}) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [stream]);
  const { frames } = await allFrames(
    file,
    testContract(`
streams: { camera: { topic: /video, role: perception, type: ${stream.type} } }
features: { image: { kind: image, stream: camera, width: 8, height: 6, toleranceSecs: 0.15${rest} } }
samples: { tickRateHz: ${rateHz} }`),
  );
  return frames.map(({ tickTime, values }) => {
    const value = values.get('image')!;
    if (value.kind !== 'image') throw new TypeError(value.kind);
    const [red, green, blue] = value.pixels.subarray(3 * 20);
    expect(Math.max(red!, green!, blue!) - Math.min(red!, green!, blue!)).toBeLessThanOrEqual(2);
    return { millis: Number(tickTime - EPOCH) / 1e6, level: red! };
  });
}

function expectLevels(found: readonly { level: number }[], pictures: readonly number[]) {
  expect(found).toHaveLength(pictures.length);
  for (const [i, picture] of pictures.entries()) {
    expect(Math.abs(found[i]!.level - greyLevel(picture))).toBeLessThanOrEqual(2);
  }
}

const CODECS: readonly VideoCodec[] = ['h264', 'h265'];

test.each(CODECS)('isKeyframe() finds every fifth picture of %s', (format) => {
  const keyframes = greyPackets(format).map((data) => isKeyframe({ data, format }));
  expect(keyframes.flatMap((is, i) => (is ? [i] : []))).toEqual([0, 5, 10]);
});

test.each(CODECS)('episodeFrames() shows every picture of %s at its tick', async (codec) => {
  const shown = await greys(video(codec));
  expectLevels(shown, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test.each(CODECS)('episodeFrames() decodes the pictures of %s that no tick shows, too', async (codec) => {
  // Ticks every 250 ms hold pictures 0, 2, 5, 7 and 10.
  expectLevels(await greys(video(codec), { rateHz: 4 }), [0, 2, 5, 7, 10]);
});

test('episodeFrames() shows no picture of video before its first keyframe', async () => {
  const shown = await greys(video('h264', { from: 3 }));
  expect(shown[0]!.millis).toBe(500);
  expectLevels(shown, [5, 6, 7, 8, 9, 10, 11]);
});

test('episodeFrames() says what is wrong with video that it does not decode', async () => {
  const stream = video('h264');
  const other = (value: object): TestStream => ({
    ...stream,
    messages: stream.messages.map((each) => ({ ...each, value: { ...each.value, ...value } })),
  });
  await expect(greys(other({ format: 'vp9' }))).rejects.toThrow(
    /its format "vp9" is not one of "h264", "h265"/,
  );
  const broken = Uint8Array.of(0, 0, 0, 1, 5, 1, 2, 3);
  await expect(greys(other({ data: broken }))).rejects.toThrow(
    /does not become a picture: the video does not decode/,
  );
});
