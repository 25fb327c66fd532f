import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codedPackets } from '../../converters/coded-video.fixture.ts';
import { convertEpisodes } from '../../converters/convert.ts';
import { EPOCH, jointState, testContractFile, writeTestEpisode } from '../../converters/episode.fixture.ts';
import { lerobot } from '../../converters/lerobot/lerobot.ts';
import type { VideoCodec } from '../../converters/video-packets.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { z } from '../../schemas/validation.ts';
import { needs, readWith } from './python.ts';

const KEY = 'observation.images.front';
const [WIDTH, HEIGHT, PICTURES, GOP, FPS] = [160, 120, 45, 12, 30];
const CODECS: readonly VideoCodec[] = ['h264', 'h265'];

const reportSchema = z.object({
  versions: z.record(z.string(), z.string()),
  /** By decoder. */
  read: z.record(
    z.string(),
    z.object({ frames: z.int(), pictures: z.int(), different: z.array(z.array(z.int())) }),
  ),
});

const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  front: { topic: /front, role: perception, type: foxglove_msgs/msg/CompressedVideo, clock: log }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  action: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  ${KEY}: { kind: image, stream: front, width: ${WIDTH}, height: ${HEIGHT}, align: nearest, toleranceSecs: 0.015 }
samples: { tickRateHz: ${FPS} }`);

/** A recording whose frames begin with a picture of the video. */
async function record(
  file: string,
  {
    codec,
    packets,
    first,
  }: { readonly codec: VideoCodec; readonly packets: readonly Uint8Array[]; readonly first: number },
): Promise<void> {
  const timestamp = nanosToStamp(EPOCH);
  const log = (place: number) => 10 + (place * 1000) / FPS;
  const messages = packets.map((data, i) => ({
    log: log(i),
    value: { timestamp, frame_id: '', data, format: codec },
  }));
  const positions = packets.flatMap((_, i) =>
    i >= first ? [{ log: log(i) + 1, value: jointState([i]) }] : [],
  );
  await writeTestEpisode(file, [
    { topic: '/front', type: 'foxglove_msgs/msg/CompressedVideo', messages },
    { topic: '/arm', type: 'sensor_msgs/msg/JointState', messages: positions },
  ]);
}

describe('LeRobotDataset with copied video', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'kinescribe-video-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  beforeEach((context) => needs('lerobot', context));

  it.each(CODECS)(
    'shows the pictures of %s as they were recorded, in every frame and window',
    async (codec) => {
      const source = join(root, codec);
      await mkdir(source);
      const packets = codedPackets(codec, { width: WIDTH, height: HEIGHT, pictures: PICTURES, gop: GOP });
      await writeFile(join(source, 'packets'), Buffer.concat(packets));
      const files: string[] = [];
      // Two begin in the middle of a group of pictures.
      for (const first of [0, 17, 1]) {
        const file = join(source, `take-${files.length}.mcap`);
        await record(file, { codec, packets, first });
        files.push(file);
      }
      const directory = join(source, 'datasets');
      const { datasets } = await convertEpisodes(files, {
        contract,
        formats: [lerobot],
        directory,
        version: 'interop',
      });
      const { episodes, frames } = datasets[0]!.manifest;
      const made = episodes.map(({ videos }) => videos![0]!);
      expect(made.map((video) => video.made)).toEqual(['copied', 'copied', 'copied']);
      const described = made.map(({ lead = 0 }, i) => {
        const keyframe = i === 1 ? GOP : 0;
        return { file: 'packets', first: keyframe + lead, frames: episodes[i]!.frames };
      });
      await writeFile(join(source, 'episodes.json'), JSON.stringify(described));
      const arguments_ = [join(directory, 'lerobot'), source, KEY];
      const report = reportSchema.parse(await readWith('read_lerobot_video.py', arguments_));
      console.log(`interop: copied ${codec} read with`, report.versions, 'and', Object.keys(report.read));
      expect(Object.keys(report.read)).toContain('pyav');
      for (const read of Object.values(report.read)) {
        expect(read).toEqual({ frames, pictures: 2 * frames, different: [] });
      }
    },
  );
});
