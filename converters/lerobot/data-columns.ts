import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { EpisodeHeader } from '../dataset-writer.ts';
import { type EpisodeNumbers, frameRanges } from '../episode-numbers.ts';
import { type FrameColumn, frameColumns, imageFeatures, textFeatures } from '../frame-columns.ts';
import type { FrameRange } from '../stored-elements.ts';
import type { CountedEpisode, FeatureStatistics } from './feature-statistics.ts';
import type { RowGroup, TensorColumn, TensorRows } from './parquet-file.ts';

/** The frames of one episode without their pictures, as the columns need them. */
export interface EpisodeFrames {
  readonly header: EpisodeHeader;
  readonly numbers: EpisodeNumbers;
  /** Position of the first frame in the dataset. */
  readonly firstIndex: number;
  readonly taskIndex: number;
}

/** A column of the data files, and how it comes about. */
export interface DataColumn extends TensorColumn {
  /** Name of each element; null where they have none. */
  readonly names: readonly string[] | null;
  /** The feature whose mask says which rows count in statistics; all do if absent. */
  readonly maskedBy?: string;
  rows(episode: EpisodeFrames, range: FrameRange): TensorRows;
}

/**
 * The columns of a contract: its vector features, then for every feature `age.<key>` and `valid.<key>`,
 * then `tick_time`, then the columns that LeRobot itself demands. Names of the additions begin with neither
 * `observation` nor `action`: LeRobot would take them for inputs and outputs of a policy.
 *
 * @throws {ConvertError} when two columns would have one name, or a shape has more than five dimensions.
 */
export function dataColumns(contract: Contract): readonly DataColumn[] {
  const columns = [...frameColumns(contract).map(dataColumn), ...indexColumns(contract.samples.tickRateHz)];
  const names = new Set([...imageFeatures(contract).map(([key]) => key), ...textFeatures(contract)]);
  for (const { name, shape } of columns) {
    if (names.has(name)) {
      throw new ConvertError(
        `Cannot write LeRobot: two columns are named "${name}". Rename that feature in the contract.`,
      );
    }
    if (shape.length > 5) {
      throw new ConvertError(
        `Cannot write LeRobot: feature "${name}" has ${shape.length} dimensions, at most 5 are possible.`,
      );
    }
    names.add(name);
  }
  return columns;
}

/** The rows of some frames of an episode: its columns, then the features that are text. */
export interface EpisodeRows extends RowGroup, FrameRange {
  readonly columns: readonly TensorRows[];
}

/** The rows of an episode: all, unless they are more than fit into memory. */
export function* episodeRows(
  episode: EpisodeFrames,
  { contract, columns }: { readonly contract: Contract; readonly columns: readonly DataColumn[] },
): Generator<EpisodeRows> {
  const { numbers } = episode;
  const texts = textFeatures(contract).map((key) => numbers.features.get(key)!.texts!);
  for (const { from, to } of frameRanges(numbers)) {
    const rows = columns.map((column) => column.rows(episode, { from, to }));
    const values = [...rows, ...texts.map((each) => each.slice(from, to))];
    yield { from, to, rows: to - from, columns: rows, values };
  }
}

/** Adds rows of an episode to the statistics of their columns. */
export function countRows(
  statistics: ReadonlyMap<string, FeatureStatistics>,
  { from, to, columns: values }: EpisodeRows,
  {
    columns,
    numbers,
    ...counted
  }: CountedEpisode & { readonly columns: readonly DataColumn[]; readonly numbers: EpisodeNumbers },
): void {
  for (const [i, { name, maskedBy }] of columns.entries()) {
    const valid =
      maskedBy === undefined ? undefined : numbers.features.get(maskedBy)!.valid.subarray(from, to);
    statistics.get(name)!.addRows(values[i]!, { valid, rows: to - from, ...counted });
  }
}

const ELEMENT_BYTES = { float64: 8, int64: 8, float32: 4, int16: 2, uint16: 2, uint8: 1, bool: 1 } as const;

/** Bytes of a row of numbers in memory. */
export function rowBytes(columns: readonly DataColumn[]): number {
  return columns.reduce(
    (sum, { shape, dtype }) => sum + shape.reduce((product, n) => product * n, ELEMENT_BYTES[dtype]),
    0,
  );
}

function dataColumn({ content, key, dtype, shape, names, rows }: FrameColumn): DataColumn {
  return {
    kind: 'tensor',
    name: columnName({ content, key }),
    dtype,
    shape,
    names,
    ...(content === 'value' && { maskedBy: key }),
    rows: ({ numbers }, range) => rows(numbers, range),
  };
}

/** Name of a column among the data. */
export function columnName({ content, key }: Pick<FrameColumn, 'content' | 'key'>): string {
  return { value: key, age: `age.${key}`, valid: `valid.${key}`, tickTime: 'tick_time' }[content];
}

function indexColumns(fps: number): readonly DataColumn[] {
  const scalar = { kind: 'tensor', shape: [1], names: null } as const;
  const integers = (name: string, value: (episode: EpisodeFrames, frame: number) => number): DataColumn => ({
    ...scalar,
    name,
    dtype: 'int64',
    rows: (episode, { from, to }) =>
      BigInt64Array.from({ length: to - from }, (_, i) => BigInt(value(episode, from + i))),
  });
  return [
    {
      ...scalar,
      name: 'timestamp',
      dtype: 'float32',
      // Readers look the frame up in the video by this number: it must lie on the grid. The real instant of
      // the frame is tick_time.
      rows: (_, { from, to }) => Float32Array.from({ length: to - from }, (_, i) => (from + i) / fps),
    },
    integers('frame_index', (_, frame) => frame),
    integers('episode_index', ({ header }) => header.index),
    integers('index', ({ firstIndex }, frame) => firstIndex + frame),
    integers('task_index', ({ taskIndex }) => taskIndex),
  ];
}
