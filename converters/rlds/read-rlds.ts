import { relative } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { DatasetError } from '../../schemas/errors.ts';
import { decodeRgb } from '../../schemas/image-codec.ts';
import type { EpisodeReading, PictureReading } from '../dataset-reading.ts';
import { decodeExample, type ExampleValues } from './example.ts';
import { FIXED_LEAVES, type PictureLeaf, rldsLayout } from './layout.ts';
import { readTfRecords } from './tfrecord.ts';
import { shardFiles } from './verify-rlds.ts';

/** Reads an RLDS dataset back. */
export async function* readRlds(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const layout = rldsLayout(contract);
  for (const file of await shardFiles(directory)) {
    const shard = relative(directory, file).replaceAll('\\', '/');
    let record = 0;
    for await (const bytes of readTfRecords(file)) {
      const place = `${shard}, episode ${record++}`;
      const example = decodeExample(bytes);
      const text = (path: string) => String(bytesOf(example, path, place)[0]);
      yield {
        id: text(FIXED_LEAVES.episodeId.path),
        recording: text(FIXED_LEAVES.recording.path),
        columns: layout.columns.map(({ path, column }) => {
          const found = example.get(path);
          const values = found && found.kind !== 'bytes' ? found.values : [];
          return { place: `${place}, ${path}`, column, values };
        }),
        texts: [...layout.texts, FIXED_LEAVES.instruction].map((leaf) => ({
          place: `${place}, ${leaf.path}`,
          ...('key' in leaf && { key: leaf.key }),
          values: bytesOf(example, leaf.path, place).map(String),
        })),
        pictures: (frames) => readPictures(example, { leaves: layout.pictures, frames, place }),
      };
    }
  }
}

type Example = ReadonlyMap<string, ExampleValues<Buffer>>;

async function* readPictures(
  example: Example,
  {
    leaves,
    frames,
    place,
  }: { readonly leaves: readonly PictureLeaf[]; readonly frames: readonly number[]; readonly place: string },
): AsyncGenerator<PictureReading> {
  for (const { path, key } of leaves) {
    const stored = bytesOf(example, path, place);
    for (const frame of frames) {
      const bytes = stored[frame];
      if (!bytes) throw new DatasetError(`${place}: ${path} has no picture of step ${frame}.`);
      const { pixels } = await decodeRgb(bytes);
      yield { place: `${place}, ${path} of step ${frame}`, key, frame, pixels, isLossy: true };
    }
  }
}

function bytesOf(example: Example, path: string, place: string): readonly Buffer[] {
  const found = example.get(path);
  if (found?.kind === 'bytes') return found.values;
  throw new DatasetError(`${place}: has no ${path}.`);
}
