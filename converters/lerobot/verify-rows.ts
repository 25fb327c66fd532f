import { join } from 'node:path';
import { type ParquetRow, readParquet } from '../parquet-reader.ts';
import type { Faults } from './faults.ts';
import {
  type EpisodeEntry,
  filesBelow,
  integer,
  type LerobotFeature,
  type LerobotInfo,
} from './read-metadata.ts';

/** Which elements of each feature held a finite number in a row that counts. */
export type SeenElements = ReadonlyMap<string, Uint8Array>;

/** What the rows must agree with. */
export interface RowsExpectation {
  readonly info: Pick<LerobotInfo, 'fps' | 'total_frames' | 'features'>;
  readonly tasks: readonly string[];
  readonly episodes: readonly Pick<EpisodeEntry, 'from' | 'to' | 'tasks'>[];
  /** The file, relative to the dataset, that the rows of an episode lie in. */
  dataFileOf(episode: number): string;
}

/**
 * Checks the data files against the index: LeRobot takes the row at a position for the frame of that index,
 * and its timestamp for the place in the video.
 */
export async function verifyRows(
  directory: string,
  { info, tasks, episodes, dataFileOf }: RowsExpectation,
  faults: Faults,
): Promise<SeenElements> {
  const features = Object.entries(info.features).filter(([, { dtype }]) => dtype !== 'video');
  const seen = new Map(
    Object.entries(info.features).map(([key, feature]) => [key, new Uint8Array(sizeOf(feature))]),
  );
  let position = 0;
  let episode = 0;
  const files = await filesBelow(directory, 'data', '.parquet');
  for (const i of episodes.keys()) {
    const file = dataFileOf(i);
    if (!files.includes(file)) faults.add(file, `is missing; episode ${i} lies in it.`);
  }
  for (const file of files) {
    const table = await readParquet(join(directory, file));
    compareColumns(
      file,
      table.columns,
      features.map(([key]) => key),
    );
    let row = 0;
    for await (const batch of table.batches()) {
      for (const values of batch) {
        while (episodes[episode] && position >= episodes[episode]!.to) episode++;
        checkIndices(file, row, values);
        for (const [key, feature] of features) checkShape(file, row, key, values[key], feature);
        markSeen(seen, values);
        row++;
        position++;
      }
    }
  }
  if (position !== info.total_frames) {
    faults.add('data', `the files hold ${position} rows, meta/info.json says ${info.total_frames}.`);
  }
  return seen;

  function compareColumns(file: string, found: readonly string[], declared: readonly string[]): void {
    for (const name of declared.filter((each) => !found.includes(each))) {
      faults.add(file, `column "${name}" is declared in meta/info.json and missing.`);
    }
    for (const name of found.filter((each) => !declared.includes(each))) {
      faults.add(file, `column "${name}" is not declared in meta/info.json.`);
    }
  }

  function checkIndices(file: string, row: number, values: ParquetRow): void {
    const entry = episodes[episode];
    if (!entry) {
      faults.addRow(file, row, 'beyond', 'it lies beyond the last episode of meta/episodes.');
      return;
    }
    const frame = position - entry.from;
    const expected = {
      index: position,
      episode_index: episode,
      frame_index: frame,
      timestamp: Math.fround(frame / info.fps),
    };
    for (const [column, value] of Object.entries(expected)) {
      if (integer(values, column) === value) continue;
      faults.addRow(file, row, column, `${column} is ${values[column]}, it must be ${value}.`);
    }
    const task = tasks[integer(values, 'task_index')];
    if (task === undefined || !entry.tasks.includes(task)) {
      const known = entry.tasks.map((text) => `"${text}"`).join(', ');
      faults.addRow(
        file,
        row,
        'task',
        `task_index ${values.task_index} is not a task of its episode (${known}).`,
      );
    }
    if (row === 0 || frame === 0) checkPlace(file, row);
  }

  function checkPlace(file: string, row: number): void {
    const place = dataFileOf(episode);
    if (place !== file)
      faults.addRow(file, row, 'place', `meta/episodes says that episode ${episode} lies in ${place}.`);
  }

  function checkShape(
    file: string,
    row: number,
    key: string,
    value: unknown,
    { shape }: LerobotFeature,
  ): void {
    const plain = shape.length === 1 && shape[0] === 1;
    if (hasShape(value, plain ? [] : shape)) return;
    faults.addRow(file, row, `shape ${key}`, `"${key}" must be of shape [${shape.join(', ')}].`);
  }
}

function sizeOf({ dtype, shape }: LerobotFeature): number {
  return dtype === 'video' || dtype === 'image' ? 1 : shape.reduce((product, n) => product * n, 1);
}

function hasShape(value: unknown, [length, ...inner]: readonly number[]): boolean {
  if (length === undefined) return value !== null && value !== undefined && !Array.isArray(value);
  return Array.isArray(value) && value.length === length && value.every((each) => hasShape(each, inner));
}

/** A row counts for a feature unless `valid.<key>` says otherwise. */
function markSeen(seen: SeenElements, values: ParquetRow): void {
  for (const [key, elements] of seen) {
    if (values[`valid.${key}`] === false) continue;
    if (!(key in values)) elements[0] = 1;
    else
      for (const [i, each] of [values[key]].flat(5).entries())
        if (Number.isFinite(Number(each))) elements[i] = 1;
  }
}
