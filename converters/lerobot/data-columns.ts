import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { EpisodeHeader } from '../dataset-writer.ts';
import type { EpisodeNumbers } from '../episode-numbers.ts';
import { type FrameColumn, frameColumns, imageFeatures, textFeatures } from '../frame-columns.ts';
import type { TensorColumn, TensorRows } from './parquet-file.ts';

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
  rows(episode: EpisodeFrames): TensorRows;
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

function dataColumn({ content, key, dtype, shape, names, rows }: FrameColumn): DataColumn {
  return {
    kind: 'tensor',
    name: columnName({ content, key }),
    dtype,
    shape,
    names,
    ...(content === 'value' && { maskedBy: key }),
    rows: ({ numbers }) => rows(numbers),
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
    rows: (episode) =>
      BigInt64Array.from({ length: episode.numbers.frames }, (_, frame) => BigInt(value(episode, frame))),
  });
  return [
    {
      ...scalar,
      name: 'timestamp',
      dtype: 'float32',
      // Readers look the frame up in the video by this number: it must lie on the grid. The real instant of
      // the frame is tick_time.
      rows: ({ numbers: { frames } }) => Float32Array.from({ length: frames }, (_, frame) => frame / fps),
    },
    integers('frame_index', (_, frame) => frame),
    integers('episode_index', ({ header }) => header.index),
    integers('index', ({ firstIndex }, frame) => firstIndex + frame),
    integers('task_index', ({ taskIndex }) => taskIndex),
  ];
}
