import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AudioFormat } from '../../schemas/contract-audio.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { convertEpisodes, previewEpisodes } from '../convert.ts';
import {
  joints,
  type TestStream,
  type TestType,
  testContractFile,
  writeTestEpisode,
} from '../episode.fixture.ts';
import { readManifest } from '../manifest.ts';
import { verifyDataset } from '../verify.ts';
import { decodeSample } from '../webdataset/sample-codec.ts';
import { samplesOf } from '../webdataset/verify-shards.ts';
import { webdataset } from '../webdataset/webdataset.ts';
import { verifyAudioAgainst } from './verify-audio.ts';
import { readWavHeader } from './wav.ts';

/** Ticks from 0 to 900 ms. */
const ARM = joints('/arm', Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i * 100, [i]])));

/** One sample per millisecond, which is its own number, of two channels: the second is negative. */
function pcm(from: number, count: number, format: AudioFormat = 's16le'): Uint8Array {
  const values = Array.from({ length: count }, (_, i) => [from + i, 0 - from - i]).flat();
  const array = format === 's16le' ? Int16Array.from(values) : Float32Array.from(values);
  return new Uint8Array(array.buffer);
}

/** Chunks of 20 samples, at the milliseconds of their first. */
const STARTS = Array.from({ length: 60 }, (_, i) => -100 + i * 20);

function microphone(starts: readonly number[] = STARTS, format: AudioFormat = 's16le'): TestStream {
  const messages = starts.map((start) => ({
    stamp: start,
    log: start + 25,
    value: { audio: { data: pcm(start, 20, format) } },
  }));
  return { topic: '/audio/audio', type: 'audio_common_msgs/msg/AudioDataStamped', messages };
}

const AUDIO = 'microphone: { stream: mic, sampleRateHz: 1000, channels: 2 }';

function contract(audio = AUDIO, { type = 'audio_common_msgs/msg/AudioDataStamped', mic = '' } = {}) {
  return testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  mic: { topic: /audio/audio, role: perception, type: ${type}, ${mic} }
features: { arm: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 } }
audio: { ${audio} }
samples: { tickRateHz: 10, observationSteps: 2 }`);
}

async function convert(streams: readonly TestStream[], contractFile = contract()) {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  const out = join(folder.path, 'out');
  await convertEpisodes([file], {
    contract: contractFile,
    formats: [webdataset],
    directory: out,
    version: '0',
  });
  const directory = join(out, 'webdataset');
  const { manifest } = await readManifest(directory);
  const wav = join(directory, 'audio/microphone/episode_000000.wav');
  return { folder, file, directory, manifest: manifest!, wav, contract: contractFile.contract };
}

function samplesIn(wav: Uint8Array): number[] {
  const { offset, format } = readWavHeader(wav);
  const { buffer } = Uint8Array.from(wav.subarray(offset));
  return [...(format === 's16le' ? new Int16Array(buffer) : new Float32Array(buffer))];
}

/** Both channels of these samples; zeros from the second bound to the third. */
function expected(from: number, to: number, lost: readonly (readonly [number, number])[] = []): number[] {
  return Array.from({ length: to - from }, (_, i) => {
    const at = from + i;
    return lost.some(([first, end]) => at >= first && at < end) ? [0, 0] : [at, 0 - at];
  }).flat();
}

test('convert writes the sound of an episode from its first tick on, as long as its frames', async () => {
  await using folder = (await convert([ARM, microphone()])).folder;
  const directory = join(folder.path, 'out/webdataset');
  const wav = await readFile(join(directory, 'audio/microphone/episode_000000.wav'));
  expect(readWavHeader(wav)).toEqual({
    sampleRateHz: 1000,
    channels: 2,
    format: 's16le',
    offset: 44,
    bytes: 4000,
  });
  expect(samplesIn(wav)).toEqual(expected(0, 1000));
  const { manifest } = await readManifest(directory);
  expect(manifest).toMatchObject({
    audio: [{ name: 'microphone', sampleRateHz: 1000, channels: 2, format: 's16le' }],
    episodes: [{ frames: 10, audio: [{ name: 'microphone', samples: 1000, silences: [], driftSecs: 0 }] }],
  });
});

test('convert leaves silence where no sound was recorded, and says where', async () => {
  // It begins at 40 ms, loses 200 to 260 ms, and ends at 900 ms.
  const starts = STARTS.filter((start) => start >= 40 && start < 900 && (start < 200 || start >= 260));
  const { folder, wav, manifest, directory } = await convert([ARM, microphone(starts)]);
  await using _ = folder;
  const lost = [
    [0, 40],
    [200, 260],
    [900, 1000],
  ] as const;
  expect(samplesIn(await readFile(wav))).toEqual(expected(0, 1000, lost));
  expect(manifest.episodes[0]!.audio![0]!.silences).toEqual(lost.map(([from, to]) => ({ from, to })));
  expect((await verifyDataset(directory, new Map([['webdataset', webdataset]]))).faults).toEqual([]);
});

test('convert gives every window what was heard up to its anchor', async () => {
  const { folder, directory } = await convert([ARM, microphone(STARTS.filter((start) => start !== 260))]);
  await using _ = folder;
  const heard: unknown[] = [];
  for await (const { members } of samplesOf(join(directory, 'shard-000000.tar'))) {
    const byName = new Map(members.map(({ name, data }) => [name, data]));
    const { silences, provenance } = decodeSample(byName.get('sample.mp')!);
    const { shape, data } = silences!.microphone!;
    const ranges = [...new BigInt64Array(Uint8Array.from(data).buffer)].map(Number);
    heard.push([provenance.frame, samplesIn(byName.get('microphone.wav')!), shape, ranges]);
  }
  const lost = [
    [-200, 0],
    [260, 280],
  ] as const;
  expect(heard).toEqual(
    Array.from({ length: 10 }, (_, frame) => {
      const from = frame * 100 - 200; // two frames
      const ranges = lost
        .map(([first, end]) => [Math.max(0, first - from), Math.min(200, end - from)] as const)
        .filter(([first, end]) => first < end);
      return [frame, expected(from, from + 200, lost), [ranges.length, 2], ranges.flat()];
    }),
  );
});

test.each<[string, TestStream, Parameters<typeof contract>]>([
  ['floats', microphone(STARTS, 'f32le'), [AUDIO.replace(' }', ', format: f32le }')]],
  [
    'messages without a stamp, by receive time, at their end',
    {
      topic: '/audio/audio',
      type: 'audio_common_msgs/msg/AudioData',
      // A chunk is sent when it is whole; transport takes up to 5 ms.
      messages: STARTS.map((start, i) => ({ log: start + 20 + (i % 5), value: { data: pcm(start, 20) } })),
    },
    [AUDIO.replace(' }', ', stamped: end }'), { type: 'audio_common_msgs/msg/AudioData', mic: 'clock: log' }],
  ],
  [
    "Foxglove's type",
    {
      topic: '/audio/audio',
      type: 'foxglove_msgs/msg/RawAudio',
      messages: STARTS.map((start) => ({
        log: start + 20,
        value: {
          timestamp: {
            sec: 1_700_000_000 + Math.floor(start / 1000),
            nanosec: ((start + 1000) % 1000) * 1e6,
          },
          ...{ data: pcm(start, 20), format: 'pcm-s16', sample_rate: 1000, number_of_channels: 2 },
        },
      })),
    },
    [AUDIO, { type: 'foxglove_msgs/msg/RawAudio' }],
  ],
])('convert takes sound of %s', async (_, stream, parts) => {
  const { folder, wav } = await convert([ARM, stream], contract(...parts));
  await using __ = folder;
  expect(samplesIn(await readFile(wav))).toEqual(expected(0, 1000));
});

test('verify finds sound that is not what was recorded', async () => {
  const { folder, directory, wav, manifest, file, contract } = await convert([
    ARM,
    microphone(STARTS.filter((start) => start !== 260)),
  ]);
  await using _ = folder;
  const [said] = manifest.episodes;
  const against = () => verifyAudioAgainst(directory, said!, { file, contract });
  expect(await against()).toEqual([]);
  const bytes = await readFile(wav);
  const change = (edit: (copy: Buffer) => void, length = bytes.length) => {
    const copy = Buffer.from(bytes);
    edit(copy);
    return writeFile(wav, copy.subarray(0, length));
  };
  await change((copy) => copy.writeInt16LE(7, 44 + 4 * 270));
  const { faults } = await verifyDataset(directory, new Map([['webdataset', webdataset]]));
  expect(faults).toEqual([
    expect.stringContaining('its content has changed'),
    expect.stringContaining('sample 270 is not silent'),
    expect.stringContaining('"a_000003": microphone.wav is not samples 100 to 300 of the whole episode'),
    expect.stringContaining('"a_000004": microphone.wav is not samples 200 to 400 of the whole episode'),
  ]);
  expect(await against()).toEqual([expect.stringContaining('from sample 270 on')]);
  await change((copy) => copy.writeUInt32LE(2000, 24));
  expect(await against()).toEqual([expect.stringContaining('in its header')]);
  await change(() => {}, 2000);
  expect(await against()).toEqual([expect.stringContaining('from sample 489 on')]);
});

const info = (value: Record<string, unknown>): TestStream => ({
  topic: '/audio/audio_info',
  type: 'audio_common_msgs/msg/AudioInfo',
  messages: [
    {
      log: 0,
      value: {
        ...{ channels: 2, sample_rate: 1000, sample_format: 'S16LE', bitrate: 0, coding_format: 'wave' },
        ...value,
      },
    },
  ],
});

const raw = (data: Uint8Array): TestStream => ({
  ...microphone([]),
  messages: Array.from({ length: 5 }, (_, i) => ({ log: i * 20, value: { audio: { data } } })),
});

test.each<[string, TestStream[], string, RegExp]>([
  ['MP3 by its AudioInfo', [microphone(), info({ coding_format: 'mp3' })], AUDIO, /compressed as "mp3"/],
  [
    'MP3 by its frames',
    [raw(Buffer.from('fffb9064000000', 'hex').subarray(0, 4))],
    AUDIO,
    /compressed as "MP3 or AAC"/,
  ],
  ['Ogg', [raw(Buffer.from('OggS....'))], AUDIO, /compressed as "Ogg"/],
  [
    'another rate',
    [microphone(), info({ sample_rate: 16000 })],
    AUDIO,
    /sample rate "16000", the contract "1000"/,
  ],
  [
    'another format',
    [microphone(), info({ sample_format: 'F32LE' })],
    AUDIO,
    /format "f32le", the contract "s16le"/,
  ],
  ['half samples', [raw(new Uint8Array(6))], AUDIO, /6 bytes are no whole samples of 2 × 2 bytes/],
])('convert refuses %s, before a long conversion too', async (_, streams, audio, fault) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [ARM, ...streams]);
  await expect(previewEpisodes([file], { contract: contract(audio) })).rejects.toThrow(
    expect.objectContaining({ constructor: ConvertError, message: expect.stringMatching(fault) }),
  );
});

test('convert takes constant silence for sound', async () => {
  // 0xffff is -1, and the start of an MPEG frame but for its bit rate.
  const { folder, wav } = await convert([ARM, raw(new Uint8Array(80).fill(0xff))]);
  await using _ = folder;
  expect(samplesIn(await readFile(wav)).slice(0, 4)).toEqual([-1, -1, -1, -1]);
});

test('the contract names the stream that a microphone misspells', () => {
  expect(() => contract(AUDIO.replace('stream: mic', 'stream: mik'))).toThrow(/did you mean "mic"/);
});

test.each<TestType>(['sensor_msgs/msg/JointState'])('convert refuses the type %s', async (type) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [ARM, { ...ARM, topic: '/audio/audio' }]);
  await expect(previewEpisodes([file], { contract: contract(AUDIO, { type }) })).rejects.toThrow(
    /the type is not one of "audio_common_msgs/,
  );
});
