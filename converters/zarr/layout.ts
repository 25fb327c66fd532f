import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { type FrameColumn, frameColumns, imageFeatures, refuseText } from '../frame-columns.ts';
import { plainNames } from '../plain-names.ts';

/** Where the hierarchy lies in the dataset. */
export const DIRECTORY_NAME = 'replay_buffer.zarr';
export const ZIP_NAME = 'replay_buffer.zarr.zip';
export const EPISODE_ENDS = 'meta/episode_ends';

/** Bytes of a chunk of numbers, as diffusion_policy's `ReplayBuffer` chooses them. */
export const CHUNK_BYTES = 2e6;

/** A column of numbers and its array below `data`. */
export interface ArrayColumn {
  readonly name: string;
  readonly column: FrameColumn;
}

export interface ZarrLayout {
  readonly columns: readonly ArrayColumn[];
  readonly pictures: readonly {
    readonly name: string;
    readonly key: string;
    readonly shape: readonly number[];
  }[];
}

/**
 * The arrays below `data`, all with one row a frame: features by their short names, `age_<name>` and
 * `valid_<name>` of each, and `tick_time`.
 *
 * @throws {ConvertError} when there is no action, or two arrays would have one name.
 */
export function zarrLayout(contract: Contract): ZarrLayout {
  if (contract.features.action?.kind !== 'vector') {
    throw new ConvertError(
      'Cannot write zarr: diffusion policies predict the array "action", but the contract has no vector feature ' +
        '"action". Add it; a list of fields is concatenated.',
    );
  }
  refuseText(contract, 'zarr');
  const names = plainNames(contract, { format: 'zarr' });
  const columns = frameColumns(contract).map((column): ArrayColumn => {
    const name = names.get(column.key) ?? '';
    return {
      name: { value: name, age: `age_${name}`, valid: `valid_${name}`, tickTime: 'tick_time' }[
        column.content
      ],
      column,
    };
  });
  const pictures = imageFeatures(contract).map(([key, { width, height }]) => ({
    name: names.get(key)!,
    key,
    shape: [height, width, 3],
  }));
  const seen = new Set<string>();
  for (const { name } of [...columns, ...pictures]) {
    if (seen.has(name)) {
      throw new ConvertError(
        `Cannot write zarr: two arrays would be named "${name}". Rename that feature in the contract.`,
      );
    }
    seen.add(name);
  }
  return { columns, pictures };
}
