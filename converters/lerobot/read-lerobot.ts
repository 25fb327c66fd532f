import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { type EpisodeReading, flatten, type PictureReading } from '../dataset-reading.ts';
import { isLarge } from '../episode-numbers.ts';
import { frameColumns, imageFeatures, textFeatures } from '../frame-columns.ts';
import { codedSamples } from '../mp4-reader.ts';
import { type ParquetRow, readParquet, readParquetRows } from '../parquet-reader.ts';
import type { FrameRange } from '../stored-elements.ts';
import { videoFrames } from '../video-frames.ts';
import { columnName } from './data-columns.ts';
import { Faults } from './faults.ts';
import { pathOf } from './layout.ts';
import { filesBelow, integer, readInfo, readTasks } from './read-metadata.ts';

/** Where an episode lies in a dataset of either version. */
export interface EpisodePlace {
  readonly id: string;
  readonly recording: string;
  /** File of its rows, relative to the dataset, and the first of them there. */
  readonly file: string;
  readonly firstRow: number;
  readonly frames: number;
  /** File of a camera, relative to the dataset, and its first frame there. */
  video(key: string): { readonly file: string; readonly firstFrame: number };
}

/** Reads a LeRobot v3.0 dataset back. */
export async function* readLerobot(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const info = await readInfo(directory);
  const files = await filesBelow(directory, 'meta/episodes', '.parquet');
  const entries = (await Promise.all(files.map((file) => readParquetRows(join(directory, file))))).flat();
  const begun = new Map<string, number>();
  const place = (entry: ParquetRow, path: string) => ({
    chunkIndex: integer(entry, `${path}/chunk_index`),
    fileIndex: integer(entry, `${path}/file_index`),
  });
  const places = entries.map((entry): EpisodePlace => {
    const file = pathOf(info.data_path, place(entry, 'data'));
    const firstRow = begun.get(file) ?? 0;
    const frames = integer(entry, 'length');
    begun.set(file, firstRow + frames);
    return {
      ...{ id: String(entry.episode_id), recording: String(entry.recording), file, firstRow, frames },
      video: (key) => ({
        file: pathOf(info.video_path ?? '', place(entry, `videos/${key}`), key),
        firstFrame: Math.round(integer(entry, `videos/${key}/from_timestamp`) * info.fps),
      }),
    };
  });
  const tasks = await readTasks(directory, new Faults());
  yield* readPlaces(directory, contract, { places, tasks });
}

/** Reads episodes, of which each is a row group of its file, or several. */
export async function* readPlaces(
  directory: string,
  contract: Contract,
  { places, tasks }: { readonly places: readonly EpisodePlace[]; readonly tasks: readonly string[] },
): AsyncGenerator<EpisodeReading> {
  for (const [file, held] of Map.groupBy(places, (place) => place.file)) {
    const table = await readParquet(join(directory, file));
    const maps = new Set(frameColumns(contract).filter(isLarge).map(columnName));
    const batches = table.batches({ columns: table.columns.filter((name) => !maps.has(name)) });
    for (const place of held) {
      let rows: readonly ParquetRow[] = [];
      do {
        const batch = await batches.next();
        if (batch.done) break;
        rows = rows.concat(batch.value);
      } while (rows.length < place.frames);
      yield {
        id: place.id,
        recording: place.recording,
        columns: frameColumns(contract).map((column) => {
          const name = columnName(column);
          const read = async ({ from, to }: FrameRange) => {
            const range = { from: place.firstRow + from, to: place.firstRow + to, columns: [name] };
            return flatten((await table.rows(range)).map((row) => row[name]));
          };
          const values = isLarge(column)
            ? { rows: rows.length, read }
            : flatten(rows.map((row) => row[name]));
          return { place: `${file}, column "${name}"`, column, values, firstRow: place.firstRow };
        }),
        texts: [
          ...textFeatures(contract).map((key) => ({
            ...{ place: `${file}, column "${key}"`, key, firstRow: place.firstRow },
            values: rows.map((row) => String(row[key])),
          })),
          {
            ...{ place: `${file}, column "task_index"`, firstRow: place.firstRow },
            values: rows.map((row) => tasks[integer(row, 'task_index')] ?? ''),
          },
        ],
        pictures: (frames) => readPictures(directory, contract, { place, frames }),
      };
    }
  }
}

async function* readPictures(
  directory: string,
  contract: Contract,
  { place, frames }: { readonly place: EpisodePlace; readonly frames: readonly number[] },
): AsyncGenerator<PictureReading> {
  for (const [key, { width, height }] of imageFeatures(contract)) {
    const { file, firstFrame } = place.video(key);
    const wanted = frames.map((frame) => firstFrame + frame);
    let i = 0;
    const path = join(directory, file);
    for await (const pixels of videoFrames(path, { frames: wanted, width, height })) {
      const last = wanted[i]!;
      const at = `${file}, frame ${wanted[i]}`;
      const coded = (pictures: number) => codedSamples(path, { end: last + 1, pictures });
      yield { place: at, key, frame: frames[i++]!, pixels, isLossy: true, coded };
    }
  }
}
