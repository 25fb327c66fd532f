import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { Frame } from '../frame.ts';
import {
  type ColumnNumbers,
  type ElementType,
  type FrameColumn,
  type FrameNumbers,
  frameColumns,
  imageFeatures,
  rowShape,
} from '../frame-columns.ts';
import { isAction } from '../plain-names.ts';
import type { Hdf5File } from './hdf5-thread.ts';

/** The datasets of one episode, with their paths below the episode's group. */
export interface EpisodeLayout {
  readonly columns: readonly { readonly path: string; readonly column: DatasetColumn }[];
  readonly pictures: readonly PictureDataset[];
}

/** A dataset of numbers with one row a frame. */
export interface DatasetColumn {
  readonly dtype: ElementType;
  /** Shape of one row; [] for plain numbers. */
  readonly shape: readonly number[];
  rows(frames: readonly FrameNumbers[]): ColumnNumbers;
}

export interface PictureDataset {
  readonly path: string;
  readonly key: string;
  /** [height, width, 3] */
  readonly shape: readonly number[];
}

/** Where each kind of dataset lies, given a feature's short name. */
export interface Paths {
  value(name: string, key: string): string;
  picture(name: string): string;
}

/** The columns and pictures of a contract; ages below `age`, masks below `valid`, instants in `tick_time`. */
export function episodeLayout(
  contract: Contract,
  { names, paths }: { readonly names: ReadonlyMap<string, string>; readonly paths: Paths },
): EpisodeLayout {
  const columns = frameColumns(contract).map((column) => {
    const name = names.get(column.key) ?? '';
    const path = {
      value: paths.value(name, column.key),
      age: `age/${name}`,
      valid: `valid/${name}`,
      tickTime: 'tick_time',
    }[column.content];
    return { path, column: { ...column, shape: rowShape(column) } };
  });
  const pictures = imageFeatures(contract).map(([key, { width, height }]) => ({
    path: paths.picture(names.get(key)!),
    key,
    shape: [height, width, 3],
  }));
  return { columns, pictures };
}

/**
 * All features named `action` or `action.<part>` as one row of numbers, in the contract's order.
 *
 * @throws {ConvertError} when there is none.
 */
export function actionColumn(contract: Contract, format: string): DatasetColumn & { readonly parts: number } {
  const parts = frameColumns(contract).filter(({ content, key }) => content === 'value' && isAction(key));
  if (parts.length === 0) {
    throw new ConvertError(
      `Cannot write ${format}: its loader needs an action for each frame, but the contract has no vector ` +
        'feature "action" or "action.<part>". Add one.',
    );
  }
  const width = parts.reduce((sum, part) => sum + sizeOf(part), 0);
  const isWide = parts.some(({ dtype }) => dtype === 'float64');
  return {
    parts: parts.length,
    dtype: isWide ? 'float64' : 'float32',
    shape: [width],
    rows: (frames) => {
      const flat = new (isWide ? Float64Array : Float32Array)(frames.length * width);
      let from = 0;
      for (const part of parts) {
        const rows = part.rows(frames);
        const size = sizeOf(part);
        for (let i = 0; i < rows.length; i++) {
          flat[Math.floor(i / size) * width + from + (i % size)] = Number(rows[i]);
        }
        from += size;
      }
      return flat;
    },
  };
}

function sizeOf({ shape }: FrameColumn): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Adds the pictures of a frame to the datasets below a group. */
export async function appendPictures(
  file: Hdf5File,
  { frame, group, pictures }: { frame: Frame; group: string; pictures: EpisodeLayout['pictures'] },
): Promise<void> {
  for (const { path, key, shape } of pictures) {
    const value = frame.values.get(key);
    if (value?.kind !== 'image') throw new TypeError(`frame ${frame.index} has no picture "${key}"`);
    await file.append(group + path, { dtype: 'uint8', shape, values: value.pixels });
  }
}

/** Writes the numbers of a whole episode below a group. */
export async function writeColumns(
  file: Hdf5File,
  {
    frames,
    group,
    columns,
  }: { frames: readonly FrameNumbers[]; group: string; columns: EpisodeLayout['columns'] },
): Promise<void> {
  for (const { path, column } of columns) {
    const shape = [frames.length, ...column.shape];
    await file.write(group + path, { dtype: column.dtype, shape, values: column.rows(frames) });
  }
}

/** A flag that is set at the last frame alone. */
export const doneColumn: DatasetColumn = {
  dtype: 'bool',
  shape: [],
  rows: (frames) => Uint8Array.from(frames, (_, i) => (i === frames.length - 1 ? 1 : 0)),
};

/** Numbers that the loader asks for and nobody measured. */
export function unknownColumn(shape: readonly number[]): DatasetColumn {
  const size = shape.reduce((product, n) => product * n, 1);
  return {
    dtype: 'float32',
    shape,
    rows: (frames) => new Float32Array(frames.length * size).fill(Number.NaN),
  };
}

/** The mask of such numbers. */
export const neverColumn: DatasetColumn = {
  dtype: 'bool',
  shape: [],
  rows: (frames) => new Uint8Array(frames.length),
};
