import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { convertEpisodes } from '../../converters/convert.ts';
import { joints, testContractFile, writeTestEpisode } from '../../converters/episode.fixture.ts';
import { z } from '../../schemas/validation.ts';
import { formatsNamed } from '../formats.ts';
import { needs, readWith } from './python.ts';

const soundSchema = z.object({ rate: z.int(), dtype: z.string(), samples: z.array(z.array(z.number())) });
const reportSchema = z.object({
  files: z.record(z.string(), soundSchema),
  windows: z.array(soundSchema.extend({ frame: z.int(), key: z.string() })),
});

/** Chunks of 20 ms from 100 ms before the first tick on; the one of 260 ms is lost. A sample is its own number. */
const STARTS = Array.from({ length: 60 }, (_, i) => -100 + i * 20).filter((start) => start !== 260);

const CONTRACT = `
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  left: { topic: /left, role: perception, type: audio_common_msgs/msg/AudioDataStamped }
  right: { topic: /right, role: perception, type: audio_common_msgs/msg/AudioDataStamped }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 }
  action: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 }
audio:
  left: { stream: left, sampleRateHz: 8000, channels: 2 }
  right: { stream: right, sampleRateHz: 8000, format: f32le }
samples: { tickRateHz: 10, observationSteps: 2 }`;

function microphone(topic: string, encode: (from: number) => ArrayBuffer) {
  const messages = STARTS.map((start) => ({
    log: start,
    value: { audio: { data: new Uint8Array(encode(start * 8)) } },
  }));
  return { topic, type: 'audio_common_msgs/msg/AudioDataStamped', messages } as const;
}

const left = (at: number) => [at, -at - 1];
const right = (at: number) => [at / 8192];

function expected(sound: (at: number) => number[], from: number, to: number): number[][] {
  const isHeard = (at: number) => at >= 0 && (at < 260 * 8 || at >= 280 * 8);
  return Array.from({ length: to - from }, (_, i) =>
    isHeard(from + i) ? sound(from + i) : sound(0).map(() => 0),
  );
}

it('gives Python the sound of every dataset, sample by sample', async (context) => {
  needs('lerobot', context);
  const directory = await mkdtemp(join(tmpdir(), 'kinescribe-sound-'));
  try {
    const file = join(directory, 'a.mcap');
    const counted = (from: number) => Array.from({ length: 160 }, (_, i) => from + i);
    await writeTestEpisode(file, [
      joints('/arm', Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i * 100, [i]]))),
      microphone('/left', (from) => Int16Array.from(counted(from).flatMap(left)).buffer),
      microphone('/right', (from) => Float32Array.from(counted(from).flatMap(right)).buffer),
    ]);
    const datasets = join(directory, 'datasets');
    await convertEpisodes([file], {
      contract: testContractFile(CONTRACT),
      formats: formatsNamed('lerobot,webdataset,zarr'),
      directory: datasets,
      version: 'interop',
    });
    const { files, windows } = reportSchema.parse(await readWith('read_audio.py', [datasets]));
    const sounds = {
      left: { rate: 8000, dtype: 'int16', samples: expected(left, 0, 8000) },
      right: { rate: 8000, dtype: 'float32', samples: expected(right, 0, 8000) },
    };
    expect(files).toEqual(
      Object.fromEntries(
        ['lerobot', 'webdataset', 'zarr'].flatMap((format) =>
          Object.entries(sounds).map(([name, sound]) => [
            `${format}/audio/${name}/episode_000000.wav`,
            sound,
          ]),
        ),
      ),
    );
    // Two frames of 800 samples each, up to the anchor's tick.
    expect(windows).toEqual(
      Array.from({ length: 10 }, (_, frame) => {
        const [from, to] = [(frame - 2) * 800, frame * 800];
        return [
          { ...sounds.left, frame, key: 'left.wav', samples: expected(left, from, to) },
          { ...sounds.right, frame, key: 'right.wav', samples: expected(right, from, to) },
        ];
      }).flat(),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
