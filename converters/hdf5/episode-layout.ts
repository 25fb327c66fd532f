import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { EpisodeToWrite } from '../dataset-writer.ts';
import { type EpisodeNumbers, isLarge } from '../episode-numbers.ts';
import {
  type ColumnNumbers,
  type ElementType,
  type FrameColumn,
  frameColumns,
  imageFeatures,
  rowShape,
} from '../frame-columns.ts';
import { isAction } from '../plain-names.ts';
import type { FrameRange } from '../stored-elements.ts';
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
  /** Of some frames, or of all. */
  rows(numbers: EpisodeNumbers, range?: FrameRange): ColumnNumbers;
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
    rows: (numbers, range = { from: 0, to: numbers.frames }) => {
      const flat = new (isWide ? Float64Array : Float32Array)((range.to - range.from) * width);
      let first = 0;
      for (const part of parts) {
        const rows = part.rows(numbers, range);
        const size = sizeOf(part);
        for (let i = 0; i < rows.length; i++) {
          flat[Math.floor(i / size) * width + first + (i % size)] = Number(rows[i]);
        }
        first += size;
      }
      return flat;
    },
  };
}

function sizeOf({ shape }: FrameColumn): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Writes the pictures and the numbers of a whole episode below a group; maps frame by frame, as pictures are. */
export async function writeEpisode(
  file: Hdf5File,
  { numbers, pictures }: EpisodeToWrite,
  { group, layout }: { readonly group: string; readonly layout: EpisodeLayout },
): Promise<void> {
  for (const { path, key, shape } of layout.pictures) {
    for (let frame = 0; frame < numbers.frames; frame++) {
      const values = await pictures.pixels(key, frame);
      await file.append(group + path, { dtype: 'uint8', shape, values });
    }
  }
  for (const { path, column } of layout.columns) {
    const { dtype } = column;
    if (isLarge(column)) {
      for (let frame = 0; frame < numbers.frames; frame++) {
        const values = column.rows(numbers, { from: frame, to: frame + 1 });
        await file.append(group + path, { dtype, shape: column.shape, values });
      }
      continue;
    }
    const shape = [numbers.frames, ...column.shape];
    await file.write(group + path, { dtype, shape, values: column.rows(numbers) });
  }
}

/** A flag that is set at the last frame alone. */
export const doneColumn: DatasetColumn = {
  dtype: 'bool',
  shape: [],
  rows: ({ frames }, { from, to } = { from: 0, to: frames }) =>
    Uint8Array.from({ length: to - from }, (_, i) => Number(from + i === frames - 1)),
};

/** Numbers that the loader asks for and nobody measured. */
export function unknownColumn(shape: readonly number[]): DatasetColumn {
  const size = shape.reduce((product, n) => product * n, 1);
  return {
    dtype: 'float32',
    shape,
    rows: ({ frames }, { from, to } = { from: 0, to: frames }) =>
      new Float32Array((to - from) * size).fill(Number.NaN),
  };
}

/** The mask of such numbers. */
export const neverColumn: DatasetColumn = {
  dtype: 'bool',
  shape: [],
  rows: ({ frames }, { from, to } = { from: 0, to: frames }) => new Uint8Array(to - from),
};
