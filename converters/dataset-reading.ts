import type { FrameColumn } from './frame-columns.ts';

/** What a dataset holds of an episode, or of a part of it, read back without its writer. */
export interface EpisodeReading {
  /** As the dataset names it. */
  readonly id: string;
  /** `sha256:` digest of the recording that the dataset says it is from. */
  readonly recording: string;
  readonly columns: readonly ColumnReading[];
  /** The pictures of some frames, as far as they are here. @param frames ascending. */
  pictures(frames: readonly number[]): AsyncGenerator<PictureReading>;
}

/** The rows of one column. */
export interface ColumnReading {
  /** File, and what in it. */
  readonly place: string;
  /** What the rows have to be. */
  readonly column: Pick<FrameColumn, 'rows'> & Partial<Pick<FrameColumn, 'content' | 'key'>>;
  /** One after the other; booleans as 0 and 1. */
  readonly values: ArrayLike<number | bigint>;
  /** Number of the first row, where the file counts on from the episode before. @default 0 */
  readonly firstRow?: number;
  /** Frame of each row, given how many the episode has. @default rows are the frames in order */
  readonly frames?: (frames: number) => readonly number[];
}

export interface PictureReading {
  readonly place: string;
  /** Of the feature. */
  readonly key: string;
  readonly frame: number;
  /** [height, width, 3] uint8 RGB, row-major. */
  readonly pixels: Uint8Array;
  /** Whether it was compressed with loss. */
  readonly isLossy: boolean;
}

/** Rows of numbers, lists of numbers and booleans, one after the other. */
export function flatten(rows: readonly unknown[]): (number | bigint)[] {
  return rows.flat(Number.POSITIVE_INFINITY).map((value) => {
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value === 'boolean') return Number(value);
    return Number.NaN;
  });
}
