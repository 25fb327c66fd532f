import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nanosToStamp } from '../schemas/time.ts';
import { codedPackets } from './coded-video.fixture.ts';
import { convertEpisodes } from './convert.ts';
import { EPOCH, jointState, testContractFile, writeTestEpisode } from './episode.fixture.ts';
import { lerobot } from './lerobot/lerobot.ts';
import type { VideoCodec } from './video-packets.ts';

/** One camera of 640 × 480 at 30 Hz, a keyframe a second; pairs of runs, as the machine may be busy. */
const [WIDTH, HEIGHT, PICTURES, GOP, PAIRS] = [640, 480, 600, 30, 3];
const CODECS: readonly VideoCodec[] = ['h264', 'h265'];

const files = new Map<VideoCodec, string>();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bench-'));
  for (const codec of CODECS) {
    const file = join(root, `${codec}.mcap`);
    const packets = codedPackets(codec, { width: WIDTH, height: HEIGHT, pictures: PICTURES, gop: GOP });
    const timestamp = nanosToStamp(EPOCH);
    await writeTestEpisode(file, [
      {
        ...{ topic: '/front', type: 'foxglove_msgs/msg/CompressedVideo' },
        messages: packets.map((data, i) => ({
          log: 10 + (i * 1000) / 30,
          value: { timestamp, frame_id: '', data, format: codec },
        })),
      },
      {
        ...{ topic: '/arm', type: 'sensor_msgs/msg/JointState' },
        messages: packets.map((_, i) => ({ log: (i * 1000) / 30, value: jointState([i]) })),
      },
    ]);
    files.set(codec, file);
  }
}, 600_000);
afterAll(() => rm(root, { recursive: true }));

/** Frames per second of a whole conversion in one process, and the size of the dataset's videos. */
async function run(codec: VideoCodec, video: 'copy' | 'encode') {
  const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  front: { topic: /front, role: perception, type: foxglove_msgs/msg/CompressedVideo, clock: log }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  front: { kind: image, stream: front, width: ${WIDTH}, height: ${HEIGHT}, toleranceSecs: 0.1, video: ${video} }
samples: { tickRateHz: 30 }`);
  const directory = await mkdtemp(join(root, 'out-'));
  const began = performance.now();
  const options = { contract, formats: [lerobot], directory, version: '0.0.0' };
  const { datasets } = await convertEpisodes([files.get(codec)!], options);
  const secs = (performance.now() - began) / 1000;
  await rm(directory, { recursive: true });
  const { frames, episodes, files: written } = datasets[0]!.manifest;
  expect(episodes[0]!.videos![0]!.made).toBe(video === 'copy' ? 'copied' : 'encoded');
  const bytes = written.reduce((sum, each) => sum + (each.path.endsWith('.mp4') ? each.bytes : 0), 0);
  return { rate: frames / secs, bytes };
}

test.each(CODECS)('%s: encoded anew → copied', async (codec) => {
  const pairs = [];
  for (let i = 0; i < PAIRS; i++) pairs.push([await run(codec, 'encode'), await run(codec, 'copy')] as const);
  const ratios = pairs.map(([encoded, copied]) => copied.rate / encoded.rate).sort((a, b) => a - b);
  const rates = pairs.map((pair) => pair.map(({ rate }) => rate.toFixed(0)).join(' → ')).join(', ');
  const sizes = pairs[0]!.map(({ bytes }) => `${(bytes / 1e6).toFixed(1)} MB`).join(' → ');
  console.log(`${codec}: ${rates} frames/s, ratio ${ratios[PAIRS >> 1]!.toFixed(1)}; video ${sizes}`);
  expect(ratios.every((ratio) => ratio > 0)).toBe(true);
});
