import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContractFile } from '../schemas/contract-file.ts';
import { encodeJpeg } from '../schemas/image-codec.ts';
import { jointState, testContractFile, writeTestEpisode } from './episode.fixture.ts';

/** An arm and two cameras, which every format can hold. */
export const pictureContract: ContractFile = pictureContractOf(64, 64);

/** The same with pictures of another size. */
export function pictureContractOf(width: number, height: number): ContractFile {
  return testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  front: { topic: /front, role: perception, type: sensor_msgs/msg/CompressedImage }
  wrist: { topic: /wrist, role: perception, type: sensor_msgs/msg/CompressedImage }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], align: linear, toleranceSecs: 0.1 }
  action: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.2, derive: next }
  observation.images.front: { kind: image, stream: front, width: ${width}, height: ${height}, toleranceSecs: 0.15 }
  observation.images.wrist: { kind: image, stream: wrist, width: ${width}, height: ${height}, toleranceSecs: 0.15 }
samples: { tickRateHz: 10, observationSteps: 2, horizon: 4 }`);
}

/** Writes the contract beside the episodes, for a program that reads it. */
export async function writePictureContract(directory: string): Promise<string> {
  const file = join(directory, 'contract.yaml');
  await writeFile(file, pictureContract.text);
  return file;
}

/**
 * Writes a recording of some 10 messages a second; each picture tells its episode, camera and place by its
 * colours.
 */
export async function writePictureEpisode(
  file: string,
  {
    episode,
    messages,
    width = 64,
    height = 64,
  }: {
    readonly episode: number;
    readonly messages: number;
    readonly width?: number;
    readonly height?: number;
  },
): Promise<void> {
  const places = Array.from({ length: messages }, (_, i) => i);
  const camera = async (topic: string, tint: number) => ({
    topic,
    type: 'sensor_msgs/msg/CompressedImage' as const,
    messages: await Promise.all(
      places.map(async (i) => ({
        log: 100 * i + 3,
        value: { format: 'jpeg', data: await picture([width, height], (episode * 50 + i * 12) % 256, tint) },
      })),
    ),
  });
  await writeTestEpisode(
    file,
    [
      {
        topic: '/arm',
        type: 'sensor_msgs/msg/JointState',
        messages: places.map((i) => ({ log: 100 * i, value: jointState([episode + i / 10, Math.sin(i)]) })),
      },
      await camera('/front', 40),
      await camera('/wrist', 200),
    ],
    { id: `take-${episode}`, task: episode % 2 ? 'place' : 'pick' },
  );
}

/** Half of one colour, half of the tint: no two of an episode are alike, and no two cameras. */
function picture(
  [width, height]: readonly [number, number],
  level: number,
  tint: number,
): Promise<Uint8Array> {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i += 3) {
    const left = (i / 3) % width < width / 2;
    pixels.set(left ? [level, 255 - level, tint] : [tint, tint, level], i);
  }
  return encodeJpeg({ pixels, width, height }, 95);
}
