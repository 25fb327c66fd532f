import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readContract } from '../../schemas/contract-file.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { nalUnits } from '../coded-bits.ts';
import { convertEpisodes } from '../convert.ts';
import {
  EPOCH,
  jointState,
  type TestStream,
  testContractFile,
  writeTestEpisode,
} from '../episode.fixture.ts';
import { greyPackets } from '../grey-video.fixture.ts';
import { lerobot } from '../lerobot/lerobot.ts';
import type { VideoCodec } from '../video-packets.ts';
import { importLerobot } from './import-lerobot.ts';

const KEY = 'observation.images.front';
const VIDEO = `lerobot/videos/${KEY}/chunk-000/file-000.mp4`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A dataset of two episodes of twelve pictures, whose video holds the packets of the recordings. */
async function dataset(codec: VideoCodec): Promise<string> {
  const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  front: { topic: /front, role: perception, type: foxglove_msgs/msg/CompressedVideo, clock: log }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  ${KEY}: { kind: image, stream: front, width: 64, height: 48, toleranceSecs: 0.15 }
samples: { tickRateHz: 10 }`);
  const directory = join(folder.path, codec);
  const files = ['a', 'b'].map((id) => join(folder.path, `${codec}-${id}.mcap`));
  for (const file of files) {
    const packets = greyPackets(codec).map((data, i) => {
      return { log: i * 100, value: { timestamp: nanosToStamp(EPOCH), frame_id: '', data, format: codec } };
    });
    const joints = packets.map(({ log }, i) => ({ log, value: jointState([i]) }));
    const front: TestStream = {
      topic: '/front',
      type: 'foxglove_msgs/msg/CompressedVideo',
      messages: packets,
    };
    const arm: TestStream = { topic: '/arm', type: 'sensor_msgs/msg/JointState', messages: joints };
    await writeTestEpisode(file, [front, arm], { id: file.slice(-6, -5), task: 'pick' });
  }
  await convertEpisodes(files, { contract, directory, formats: [lerobot], version: 'test' });
  return directory;
}

/** Units of pictures and parameters, without delimiters, which mp4 leaves out. */
function unitsOf(packet: Uint8Array, codec: VideoCodec): string[] {
  const isDelimiter = ([byte = 0]: Uint8Array) => (codec === 'h264' ? (byte & 0x1f) === 9 : byte >> 1 === 35);
  return nalUnits(packet)
    .filter((unit) => !isDelimiter(unit))
    .map((unit) => Buffer.from(unit).toString('hex'));
}

describe.each(['h264', 'h265'] as const)('importLerobot() of %s with packets', (codec) => {
  test('gives the packets of the dataset, which convert to the same video', async () => {
    const source = await dataset(codec);
    const library = join(folder.path, `${codec}-library`);
    const options = { library, name: 'copied', units: ['rad'], version: 'test', keepPackets: true };
    const report = await importLerobot(join(source, 'lerobot'), options);
    expect(report.topics.map(({ kind }) => kind)).toContain(codec);
    const files = ['copied-000000.mcap', 'copied-000001.mcap'].map((name) => join(library, name));
    for (const file of files) {
      await using reader = await EpisodeReader.open(file);
      const packets: Uint8Array[] = [];
      for await (const { channel, data } of reader.messages({ topics: ['/observation/images/front'] })) {
        const { data: packet, format } = createDecoder(channel)(data);
        expect(format).toBe(codec);
        packets.push(packet as Uint8Array);
      }
      const first = unitsOf(packets[0]!, codec);
      expect(first).toEqual(expect.arrayContaining(unitsOf(greyPackets(codec)[0]!, codec).slice(-1)));
      expect(packets.slice(1, 5).map((packet) => unitsOf(packet, codec))).toEqual(
        greyPackets(codec)
          .slice(1, 5)
          .map((packet) => unitsOf(packet, codec)),
      );
    }
    const contract = await readContract(join(library, 'copied.yaml'));
    const again = join(folder.path, `${codec}-again`);
    await convertEpisodes(files, { contract, directory: again, formats: [lerobot], version: 'test' });
    const [before, after] = await Promise.all([source, again].map((at) => readFile(join(at, VIDEO))));
    expect(after!.equals(before!)).toBe(true);
  });
});
