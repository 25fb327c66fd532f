import type { FrameColumn } from './frame-columns.ts';
import type { FrameRange } from './stored-elements.ts';

/** What a dataset holds of an episode, or of a part of it, read back without its writer. */
export interface EpisodeReading {
  /** As the dataset names it. */
  readonly id: string;
  /** `sha256:` digest of the recording that the dataset says it is from. */
  readonly recording: string;
  readonly columns: readonly ColumnReading[];
  /** Features that are text, and the instructions. */
  readonly texts: readonly TextReading[];
  /** Where the dataset consists of windows: which one this is. */
  readonly window?: WindowReading;
  /** The pictures of some frames, as far as they are here. @param frames ascending. */
  pictures(frames: readonly number[]): AsyncGenerator<PictureReading>;
}

/** The rows of one column. */
export interface ColumnReading {
  /** File, and what in it. */
  readonly place: string;
  /** What the rows have to be. */
  readonly column: Pick<FrameColumn, 'rows'> & Partial<Pick<FrameColumn, 'content' | 'key'>>;
  /** One after the other; booleans as 0 and 1. Of maps read range by range. */
  readonly values: ArrayLike<number | bigint> | LateRows;
  /** Number of the first row, where the file counts on from the episode before. @default 0 */
  readonly firstRow?: number;
  /** Frame of each row, given how many the episode has. @default rows are the frames in order */
  readonly frames?: (frames: number) => readonly number[];
}

/** Rows that are read when they are compared, since all of them would not fit into memory. */
export interface LateRows {
  readonly rows: number;
  read(range: FrameRange): Promise<ArrayLike<number | bigint>>;
}

/** Texts as a training job gets them. */
export interface TextReading {
  /** File, and what in it. */
  readonly place: string;
  /** Of the feature; absent for the instruction, which is the task of the episode. */
  readonly key?: string;
  /** One after the other. */
  readonly values: readonly string[];
  /** As of a column. @default 0 */
  readonly firstRow?: number;
  /** As of a column; of an instruction that stands once it is `() => [0]`. */
  readonly frames?: (frames: number) => readonly number[];
}

/** One of the windows that an episode is cut into. */
export interface WindowReading {
  readonly place: string;
  /** Frame that it is about. */
  readonly anchor: number;
  /** Those of all windows, given how many frames the episode has. */
  readonly anchors: (frames: number) => readonly number[];
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
  /** Of video: its coded bytes, behind those of the pictures before it; fewer where there are not so many. */
  readonly coded?: (pictures: number) => Promise<readonly Uint8Array[]>;
}

/** Rows of numbers, lists of numbers and booleans, one after the other. */
export function flatten(rows: readonly unknown[]): (number | bigint)[] {
  return rows.flat(Number.POSITIVE_INFINITY).map((value) => {
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value === 'boolean') return Number(value);
    return Number.NaN;
  });
}
