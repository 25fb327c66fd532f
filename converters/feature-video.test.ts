import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EpisodeReader } from '../schemas/episode-reader.ts';
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
import { SeekableFrames } from './seekable-frames.ts';
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

interface GreyOptions {
  readonly rateHz?: number;
  readonly toleranceSecs?: number;
}

async function greys(stream: TestStream, options: GreyOptions = {}) {
  return (await greyFrames(stream, options)).shown;
}

async function greyFrames(stream: TestStream, { rateHz = 10, toleranceSecs = 0.15 }: GreyOptions = {}) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [stream]);
  const { frames, report } = await allFrames(
    file,
    testContract(`
streams: { camera: { topic: /video, role: perception, type: ${stream.type} } }
features: { image: { kind: image, stream: camera, width: 8, height: 6, toleranceSecs: ${toleranceSecs} } }
samples: { tickRateHz: ${rateHz} }`),
  );
  const shown = frames.map(({ tickTime, values }) => {
    const value = values.get('image')!;
    if (value.kind !== 'image') throw new TypeError(value.kind);
    const [red, green, blue] = value.pixels.subarray(3 * 20);
    expect(Math.max(red!, green!, blue!) - Math.min(red!, green!, blue!)).toBeLessThanOrEqual(2);
    return { millis: Number(tickTime - EPOCH) / 1e6, level: red!, valid: value.valid };
  });
  return { shown, report };
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

test.each(CODECS)(
  'episodeFrames() shows nothing of %s after a lost picture until the next keyframe',
  async (codec) => {
    const options = { toleranceSecs: 0.05 };
    const { shown, report } = await greyFrames(video(codec, { without: [6] }), options);
    expect(shown.map(({ valid }) => valid)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((i) => i < 6 || i > 9),
    );
    expect(report.unusablePictures).toEqual(new Map([['camera', { unbegun: 0, broken: 3 }]]));
    // A loss at the end of a group hurts nobody else.
    const last = await greyFrames(video(codec, { without: [9] }), options);
    expect(last.shown.flatMap(({ valid }, i) => (valid ? [] : [i]))).toEqual([9]);
    expect(last.report.unusablePictures).toEqual(new Map());
  },
);

test('SeekableFrames shows video from the middle of a group of pictures on', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const stream = video('h264');
  // 250 pictures, two a second: the first five again and again.
  const messages = Array.from({ length: 250 }, (_, i) => ({ ...stream.messages[i % 5]!, log: i * 500 }));
  await writeTestEpisode(file, [{ ...stream, messages }]);
  await using reader = await EpisodeReader.open(file);
  const contract = testContract(`
streams: { camera: { topic: /video, role: perception, type: ${stream.type}, clock: log } }
features: { image: { kind: image, stream: camera, width: 8, height: 6, toleranceSecs: 0.15 } }
samples: { tickRateHz: 2 }`);
  const seekable = await SeekableFrames.plan(reader, contract);
  const { signal } = new AbortController();
  for await (const { values } of seekable.from({ startTime: EPOCH + 102_000n * MILLI, signal })) {
    const value = values.get('image')!;
    if (value.kind !== 'image') throw new TypeError(value.kind);
    expect(value.valid).toBe(true);
    expect(Math.abs(value.pixels[0]! - greyLevel(4))).toBeLessThanOrEqual(2);
    break;
  }
});

test('episodeFrames() masks a picture of video that is damaged inside and those that build on it', async () => {
  const stream = video('h264');
  const messages = stream.messages.map((each, i) => {
    const data = Uint8Array.from(greyPackets('h264')[i]!);
    // The slice behind its header.
    if (i === 7) data.fill(0xff, data.length - 5);
    return { ...each, value: { ...each.value, data } };
  });
  const shown = await greys({ ...stream, messages });
  expect(shown.flatMap(({ valid }, i) => (valid ? [] : [i]))).toEqual([7, 8, 9]);
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
