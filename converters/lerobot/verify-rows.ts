import { join } from 'node:path';
import { isLarge } from '../episode-numbers.ts';
import { type ParquetRow, readParquet } from '../parquet-reader.ts';
import { frameFaults, isEmpty, type StoredEpisode } from '../stored-frames.ts';
import type { Faults } from './faults.ts';
import { cellShape } from './layout.ts';
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
  expectation: RowsExpectation,
  faults: Faults,
): Promise<SeenElements> {
  const check = new RowsCheck(expectation, faults);
  const files = await filesBelow(directory, 'data', '.parquet');
  for (const episode of expectation.episodes.keys()) {
    const file = expectation.dataFileOf(episode);
    if (!files.includes(file)) faults.add(file, `is missing; episode ${episode} lies in it.`);
  }
  for (const file of files) {
    const table = await readParquet(join(directory, file));
    check.beginFile(file, table.columns);
    for await (const batch of table.batches()) for (const values of batch) check.row(values);
  }
  return check.finish();
}

/** Walks over the rows of all files; knows where in the dataset it is. */
class RowsCheck {
  readonly #expectation: RowsExpectation;
  readonly #faults: Faults;
  readonly #columns: readonly (readonly [name: string, feature: LerobotFeature])[];
  /** Names of the columns of which an episode would not fit into memory. */
  readonly #maps: readonly string[];
  readonly #seen: SeenElements;
  #file = '';
  /** Row of the file, row of the dataset, and the episode that it belongs to. */
  #row = 0;
  #position = 0;
  #episode = 0;
  /** Of that episode, in this file. */
  #rows: ParquetRow[] = [];

  constructor(expectation: RowsExpectation, faults: Faults) {
    const features = Object.entries(expectation.info.features);
    this.#expectation = expectation;
    this.#faults = faults;
    this.#columns = features.filter(([, { dtype }]) => dtype !== 'video');
    this.#maps = this.#columns.filter(([, feature]) => isLarge(feature)).map(([name]) => name);
    this.#seen = new Map(features.map(([key, feature]) => [key, new Uint8Array(sizeOf(feature))]));
  }

  beginFile(file: string, columns: readonly string[]): void {
    this.#endEpisode();
    [this.#file, this.#row] = [file, 0];
    const declared = this.#columns.map(([name]) => name);
    for (const name of declared.filter((each) => !columns.includes(each))) {
      this.#faults.add(file, `column "${name}" is declared in meta/info.json and missing.`);
    }
    for (const name of columns.filter((each) => !declared.includes(each))) {
      this.#faults.add(file, `column "${name}" is not declared in meta/info.json.`);
    }
  }

  row(values: ParquetRow): void {
    const { episodes } = this.#expectation;
    if (this.#position >= (episodes[this.#episode]?.to ?? Number.POSITIVE_INFINITY)) {
      this.#endEpisode();
      this.#episode++;
    }
    this.#checkIndices(values);
    for (const [name, { shape }] of this.#columns) {
      if (hasShape(values[name], cellShape(shape))) continue;
      this.#fault(`shape ${name}`, `"${name}" must be of shape [${shape.join(', ')}].`);
    }
    markSeen(this.#seen, values);
    this.#rows.push(this.#maps.length > 0 ? withoutMaps(values, this.#maps) : values);
    this.#row++;
    this.#position++;
  }

  finish(): SeenElements {
    this.#endEpisode();
    const { total_frames } = this.#expectation.info;
    if (this.#position !== total_frames) {
      this.#faults.add('data', `the files hold ${this.#position} rows, meta/info.json says ${total_frames}.`);
    }
    return this.#seen;
  }

  #checkIndices(values: ParquetRow): void {
    const { info, tasks, episodes, dataFileOf } = this.#expectation;
    const entry = episodes[this.#episode];
    if (!entry) {
      this.#fault('beyond', 'it lies beyond the last episode of meta/episodes.');
      return;
    }
    const frame = this.#position - entry.from;
    const expected = {
      index: this.#position,
      episode_index: this.#episode,
      frame_index: frame,
      timestamp: Math.fround(frame / info.fps),
    };
    for (const [column, value] of Object.entries(expected)) {
      if (integer(values, column) === value) continue;
      this.#fault(column, `${column} is ${values[column]}, it must be ${value}.`);
    }
    const task = tasks[integer(values, 'task_index')];
    if (task === undefined || !entry.tasks.includes(task)) {
      const known = entry.tasks.map((text) => `"${text}"`).join(', ');
      this.#fault('task', `task_index ${values.task_index} is not a task of its episode (${known}).`);
    }
    const file = dataFileOf(this.#episode);
    if (file !== this.#file) {
      this.#fault('place', `meta/episodes says that episode ${this.#episode} lies in ${file}.`);
    }
  }

  /** Checks what only datasets of ours hold: masks, ages and real times. */
  #endEpisode(): void {
    const rows = this.#rows;
    this.#rows = [];
    const firstRow = this.#row - rows.length;
    for (const { row, text } of frameFaults(storedEpisode(rows))) {
      this.#faults.addRow(this.#file, firstRow + row, text, `${text}.`);
    }
  }

  #fault(kind: string, text: string): void {
    this.#faults.addRow(this.#file, this.#row, kind, text);
  }
}

/** The row with one number for each map: one that is not empty, if any. */
function withoutMaps(row: ParquetRow, maps: readonly string[]): ParquetRow {
  const numbers = (name: string) => [row[name]].flat(5).map(Number);
  const kept = maps.map((name) => [name, numbers(name).find((each) => !isEmpty(each)) ?? Number.NaN]);
  return { ...row, ...Object.fromEntries(kept) };
}

const VALID = 'valid.';

function storedEpisode(rows: readonly ParquetRow[]): StoredEpisode {
  const names = Object.keys(rows[0] ?? {});
  const numbers = (name: string) => rows.flatMap((row) => [row[name]].flat(5)).map(Number);
  return {
    tickTimes: rows.flatMap(({ tick_time }) => (typeof tick_time === 'bigint' ? [tick_time] : [])),
    features: names
      .filter((name) => name.startsWith(VALID))
      .map((name) => name.slice(VALID.length))
      .map((name) => ({
        name,
        valid: numbers(`${VALID}${name}`),
        age: numbers(`age.${name}`),
        ...(names.includes(name) && { values: numbers(name) }),
      })),
  };
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
