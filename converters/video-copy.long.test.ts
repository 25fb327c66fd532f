import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decoder, Demuxer } from 'node-av';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { nanosToStamp } from '../schemas/time.ts';
import { codedPackets } from './coded-video.fixture.ts';
import { convertEpisodes, previewEpisodes } from './convert.ts';
import { EPOCH, jointState, type TestStream, testContractFile, writeTestEpisode } from './episode.fixture.ts';
import { greyLevel, greyPackets } from './grey-video.fixture.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { lerobotV21 } from './lerobot-v21/lerobot-v21.ts';
import { readMp4 } from './mp4-reader.ts';
import { verifyAgainst } from './verify-against.ts';
import type { VideoCodec } from './video-packets.ts';
import { sampledFrames, surveyVideos } from './video-survey.ts';

const KEY = 'observation.images.front';
const CODECS: readonly VideoCodec[] = ['h264', 'h265'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

function contractOf({ rest = '', rateHz = 10, width = 64 } = {}) {
  return testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  front: { topic: /front, role: perception, type: foxglove_msgs/msg/CompressedVideo, clock: log }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  ${KEY}: { kind: image, stream: front, width: ${width}, height: 48, toleranceSecs: 0.15${rest} }
samples: { tickRateHz: ${rateHz} }`);
}

interface TakeOptions {
  readonly codec?: VideoCodec;
  readonly from?: number;
  readonly without?: readonly number[];
  /** @default twelve grey pictures */
  readonly packets?: readonly Uint8Array[];
  /** Milliseconds of the arm's first message: ticks begin there. */
  readonly armFrom?: number;
}

/** Twelve pictures, ten a second, each at a tick. */
async function take(
  name: string,
  { codec = 'h264', packets = greyPackets(codec), from = 0, without = [], armFrom = 0 }: TakeOptions = {},
): Promise<string> {
  const file = join(folder.path, `${name}.mcap`);
  const front: TestStream = {
    topic: '/front',
    type: 'foxglove_msgs/msg/CompressedVideo',
    messages: packets.flatMap((data, i) => {
      const value = { timestamp: nanosToStamp(EPOCH), frame_id: '', data, format: codec };
      return i < from || without.includes(i) ? [] : [{ log: i * 100, value }];
    }),
  };
  const messages = Array.from({ length: 12 }, (_, i) => ({ log: i * 100, value: jointState([i]) }));
  const arm: TestStream = {
    ...{ topic: '/arm', type: 'sensor_msgs/msg/JointState' },
    messages: messages.filter(({ log }) => log >= armFrom),
  };
  await writeTestEpisode(file, [front, arm], { id: name, task: 'pick' });
  return file;
}

async function planOf(file: string, options: Parameters<typeof contractOf>[0] = {}) {
  const plans = await surveyVideos(file, contractOf(options).contract, {
    within: undefined,
    labels: undefined,
  });
  const plan = plans.get(KEY)!;
  return plan.isCopied ? 'copied' : plan.reason;
}

/** All planes of all pictures, as another reader than ours decodes them. */
async function decoded(file: string): Promise<readonly Buffer[]> {
  await using demuxer = await Demuxer.open(file);
  const stream = demuxer.video()!;
  using decoder = await Decoder.create(stream);
  const pictures: Buffer[] = [];
  for await (const frame of decoder.frames(demuxer.packets(stream.index))) {
    if (!frame) continue;
    pictures.push(Buffer.from(frame.toBuffer()));
    frame.free();
  }
  return pictures;
}

async function sourcePictures(codec: VideoCodec): Promise<readonly Buffer[]> {
  const file = join(folder.path, `source.${codec}`);
  await writeFile(file, Buffer.concat(greyPackets(codec)));
  return await decoded(file);
}

const convert = (name: string, files: readonly string[], options: object = {}) =>
  convertEpisodes(files, {
    contract: contractOf(),
    formats: [lerobot],
    directory: join(folder.path, name),
    version: 'test',
    ...options,
  });

const videoAt = (name: string, file = 0) =>
  join(folder.path, name, `lerobot/videos/${KEY}/chunk-000/file-00${file}.mp4`);

describe('surveyVideos()', () => {
  test.each(CODECS)('copies %s of which every frame shows the next picture', async (codec) => {
    expect(await planOf(await take(`whole-${codec}`, { codec }))).toBe('copied');
    // Pictures before the first keyframe are in no frame.
    const late = await take(`late-${codec}`, { codec, from: 3 });
    expect(await planOf(late)).toBe(
      codec === 'h264'
        ? 'copied'
        : 'it begins with a keyframe of H.265 that others may precede (CRA), not an IDR',
    );
  });

  test('says what keeps video from being copied', async () => {
    const whole = await take('whole');
    const gap = await take('gap', { without: [2] });
    expect(await planOf(whole, { rateHz: 20 })).toBe('frame 1 shows the picture of frame 0 again');
    expect(await planOf(whole, { rateHz: 5 })).toBe('1 pictures before frame 1 are in no frame');
    expect(await planOf(gap)).toBe('frame 2 shows the picture of frame 1 again');
    expect(await planOf(gap, { rest: ', align: nearest' })).toMatch(/^frame \d shows the picture of/);
    expect(await planOf(whole, { width: 32 })).toBe(
      'its pictures are 64 × 48, the contract asks for 32 × 48',
    );
    expect(await planOf(whole, { rest: ', colorOrder: bgr' })).toBe('the contract swaps its colours');
    expect(await planOf(whole, { rest: ', video: encode' })).toBe('the contract asks for it');
    for (const codec of CODECS) {
      const options = { width: 64, height: 48, pictures: 12, gop: 12, bFrames: 2 };
      const reordered = await take(`reordered-${codec}`, { codec, packets: codedPackets(codec, options) });
      expect(await planOf(reordered)).toBe('its pictures are reordered at frame 2 (B-frames)');
    }
    const crop = ', crop: { x: 0, y: 0, width: 64, height: 48 }';
    expect(await planOf(whole, { rest: crop })).toBe('the contract crops it');
  });
});

test('sampledFrames() takes as many pictures as LeRobot, from the first to the last', () => {
  expect([...sampledFrames(1)]).toEqual([0]);
  expect([...sampledFrames(3)]).toEqual([0, 1, 2]);
  expect(sampledFrames(99).size).toBe(99);
  const many = [...sampledFrames(1000)];
  expect(many).toHaveLength(177);
  expect([many[0], many.at(-1)]).toEqual([0, 999]);
});

test.each(CODECS)('convertEpisodes() copies %s into LeRobot, pixel by pixel', async (codec) => {
  const files = [await take(`a-${codec}`, { codec }), await take(`b-${codec}`, { codec })];
  const directory = `copied-${codec}`;
  const { datasets } = await convert(directory, files, { formats: [lerobot, lerobotV21] });
  const videos = [{ feature: KEY, made: 'copied' }];
  for (const { manifest } of datasets) {
    expect(manifest.episodes.map((episode) => episode.videos)).toEqual([videos, videos]);
  }
  const source = await sourcePictures(codec);
  expect(source).toHaveLength(12);
  expect(await decoded(videoAt(directory))).toEqual([...source, ...source]);
  expect(
    await decoded(join(folder.path, directory, `lerobot-v21/videos/chunk-000/${KEY}/episode_000001.mp4`)),
  ).toEqual(source);
  const video = await readMp4(videoAt(directory));
  expect(video).toMatchObject({
    startTicks: 0,
    presentationOrder: true,
    indexFirst: true,
    width: 64,
    height: 48,
  });
  expect([...video.keyframes!]).toEqual([0, 5, 10, 12, 17, 22]);
  const info = JSON.parse(await readFile(join(folder.path, directory, 'lerobot/meta/info.json'), 'utf8'));
  expect(info.features[KEY].info).toEqual({
    ...{ 'video.height': 48, 'video.width': 64, 'video.codec': codec === 'h264' ? 'h264' : 'hevc' },
    ...{ 'video.pix_fmt': 'yuv420p', 'video.is_depth_map': false, 'video.fps': 10, 'video.channels': 3 },
    ...{ 'video.g': 5, has_audio: false, is_depth_map: false },
  });
  const stats = JSON.parse(await readFile(join(folder.path, directory, 'lerobot/meta/stats.json'), 'utf8'));
  expect(stats[KEY].count).toEqual([24]);
  expect(Math.abs(255 * stats[KEY].min[0][0][0] - greyLevel(0))).toBeLessThanOrEqual(2);
  expect(await lerobot.verify(join(folder.path, directory, 'lerobot'))).toEqual([]);
  expect(await lerobotV21.verify(join(folder.path, directory, 'lerobot-v21'))).toEqual([]);
});

test('verifyAgainst() holds copied video against the recording bit by bit', async () => {
  const file = await take('against');
  const { datasets } = await convert('against', [file]);
  const against = async () => {
    const options = { recordings: [file], contract: contractOf(), pictures: 1 };
    const dataset = { manifest: datasets[0]!.manifest, format: lerobot };
    return (await verifyAgainst(join(folder.path, 'against/lerobot'), dataset, options)).faults;
  };
  expect(await against()).toEqual([]);
  // One bit of the keyframes, too little to see.
  const { offsets, sizes } = await readMp4(videoAt('against'));
  const bytes = await readFile(videoAt('against'));
  for (const frame of [0, 5, 10]) bytes[offsets[frame]! + sizes[frame]! - 1]! ^= 1;
  await writeFile(videoAt('against'), bytes);
  expect(await against()).toEqual([expect.stringMatching(/frame \d+: has other bits than the video of/)]);
});

test.each(CODECS)(
  'convertEpisodes() begins a file of %s with what its first frame builds on',
  async (codec) => {
    const [whole, middle] = [
      await take(`m-${codec}`, { codec }),
      await take(`n-${codec}`, { codec, armFrom: 300 }),
    ];
    const name = `led-${codec}`;
    const files = [middle, whole, await take(`o-${codec}`, { codec, armFrom: 100 })];
    const { datasets } = await convert(name, files, {
      formats: codec === 'h264' ? [lerobot, lerobotV21] : [lerobot],
    });
    const made = datasets.map(({ manifest }) => manifest.episodes.map(({ videos }) => videos![0]!));
    const copied = { feature: KEY, made: 'copied' };
    const encoded = { feature: KEY, made: 'encoded', reason: 'frame 0 is no keyframe' };
    expect(made[0]).toEqual([{ ...copied, lead: 3 }, copied, { ...copied, lead: 1 }]);
    if (codec === 'h264') expect(made[1]).toEqual([encoded, copied, encoded]);
    const source = await sourcePictures(codec);
    expect(await decoded(videoAt(name))).toEqual([...source, ...source, ...source]);
    const directory = join(folder.path, name, 'lerobot');
    const shown: number[] = [];
    for await (const { pictures } of lerobot.read(directory, contractOf().contract)) {
      for await (const { pixels } of pictures([0, 8])) shown.push(pixels[0]!);
    }
    const levels = [3, 11, 0, 8, 1, 9].map(greyLevel);
    for (const [i, level] of levels.entries()) expect(Math.abs(shown[i]! - level)).toBeLessThanOrEqual(2);
    expect(await lerobot.verify(directory)).toEqual([]);
  },
);

test('convertEpisodes() encodes what it cannot copy, in a file of its own, says so, and always gives the same bytes', async () => {
  const [whole, last] = [await take('c'), await take('d')];
  const gap = await take('e', { without: [6] });
  const { datasets } = await convert('mixed', [whole, gap, last]);
  const { episodes } = datasets[0]!.manifest;
  const reason = 'frame 6 shows the picture of frame 5 again';
  expect(episodes.map(({ videos, unusablePictures }) => [videos, unusablePictures])).toEqual([
    [[{ feature: KEY, made: 'copied' }], undefined],
    [[{ feature: KEY, made: 'encoded', reason }], [{ stream: 'front', unbegun: 0, broken: 3 }]],
    [[{ feature: KEY, made: 'copied' }], undefined],
  ]);
  const codecs = await Promise.all(
    [0, 1, 2].map(async (file) => (await readMp4(videoAt('mixed', file))).codec),
  );
  expect(codecs).toEqual(['avc1', 'av01', 'avc1']);
  const info = JSON.parse(await readFile(join(folder.path, 'mixed/lerobot/meta/info.json'), 'utf8'));
  expect(info.features[KEY].info).toMatchObject({ 'video.pix_fmt': 'yuv420p', 'video.g': 5 });
  expect(info.features[KEY].info).not.toHaveProperty(['video.codec']);
  expect(info.features[KEY].info).not.toHaveProperty(['video.crf']);
  expect(await lerobot.verify(join(folder.path, 'mixed/lerobot'))).toEqual([]);
  const preview = await previewEpisodes([whole, gap, last], { contract: contractOf(), formats: [lerobot] });
  expect(preview.episodes).toEqual(episodes);
  // Whoever prepares them, and however often it is interrupted.
  const again = async (name: string, options: object) =>
    (await convert(name, [whole, gap, last], options)).datasets[0]!.manifest.files;
  expect(await again('four', { workers: 4 })).toEqual(datasets[0]!.manifest.files);
  await convert('appended', [whole, gap]);
  expect(await again('appended', { append: true })).toEqual(datasets[0]!.manifest.files);
});
