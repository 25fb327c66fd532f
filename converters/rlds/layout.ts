import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { type FrameColumn, frameColumns, imageFeatures, rowShape, textFeatures } from '../frame-columns.ts';
import { isAction, plainNames } from '../plain-names.ts';

/** Version of the data that we give every dataset: TFDS asks for one as a folder. */
export const DATASET_VERSION = '1.0.0';
export const FEATURES_FILE = 'features.json';
export const INFO_FILE = 'dataset_info.json';

/** Name of the dataset as TFDS spells names. */
export function datasetName({ name }: Contract): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** The shards of one split: how many episodes each holds, and the bytes of all their records. */
export interface SplitShards {
  readonly name: string;
  readonly shardLengths: readonly number[];
  readonly numBytes: number;
}

/** Names of the files of a split, in order. */
export function shardNames(dataset: string, { name, shardLengths }: SplitShards): readonly string[] {
  const digits = (n: number) => String(n).padStart(5, '0');
  return shardLengths.map(
    (_, i) => `${dataset}-${name}.tfrecord-${digits(i)}-of-${digits(shardLengths.length)}`,
  );
}

/** What one leaf of the features holds of a step or of the episode. */
export interface Leaf {
  /** Path in the Example, such as `steps/observation/state`. */
  readonly path: string;
  readonly type: LeafType;
}

export type LeafType =
  | { readonly kind: 'tensor'; readonly dtype: TensorType; readonly shape: readonly number[] }
  | { readonly kind: 'image'; readonly width: number; readonly height: number }
  | { readonly kind: 'text' };

export type TensorType = 'float32' | 'int64' | 'int16' | 'uint16' | 'uint8' | 'bool';

/** A leaf that a column of numbers fills. */
export interface ColumnLeaf extends Leaf {
  readonly column: FrameColumn;
}

/** A leaf that the pictures of a feature fill. */
export interface PictureLeaf extends Leaf {
  readonly key: string;
}

/** A leaf that the texts of a feature fill. */
export interface TextLeaf extends Leaf {
  readonly key: string;
}

const FLAG: LeafType = { kind: 'tensor', dtype: 'bool', shape: [] };
const TEXT: LeafType = { kind: 'text' };

/** Leaves of every dataset, as RLDS and the Open X-Embodiment datasets name them, and where it all comes from. */
export const FIXED_LEAVES = {
  isFirst: { path: 'steps/is_first', type: FLAG },
  isLast: { path: 'steps/is_last', type: FLAG },
  isTerminal: { path: 'steps/is_terminal', type: FLAG },
  discount: { path: 'steps/discount', type: { kind: 'tensor', dtype: 'float32', shape: [] } },
  instruction: { path: 'steps/language_instruction', type: TEXT },
  episodeId: { path: 'episode_metadata/episode_id', type: TEXT },
  recording: { path: 'episode_metadata/recording', type: TEXT },
  contract: { path: 'episode_metadata/contract', type: TEXT },
  version: { path: 'episode_metadata/version', type: TEXT },
} as const satisfies Record<string, Leaf>;

export interface RldsLayout {
  readonly columns: readonly ColumnLeaf[];
  readonly pictures: readonly PictureLeaf[];
  readonly texts: readonly TextLeaf[];
}

/**
 * Where each feature lies: what is seen below `steps/observation`, flat and without dots, as trainers look it
 * up; `action` as one tensor, `action.<part>` as parts of a dictionary, which is `action_dict` beside the tensor. Age and mask of each lie below
 * `steps/age` and `steps/valid`, tick times in `steps/tick_time`.
 *
 * @throws {ConvertError} when there is no action, or two features would have one place.
 */
export function rldsLayout(contract: Contract): RldsLayout {
  const names = plainNames(contract, { format: 'RLDS' });
  const actions = Object.keys(contract.features).filter(isAction);
  if (actions.length === 0) {
    throw new ConvertError(
      'Cannot write RLDS: a step needs an action, but the contract has no feature "action" or "action.…". Add one.',
    );
  }
  // A tensor cannot hold parts too; DROID, which has both, calls the parts `action_dict`.
  const parts = actions.includes('action') ? 'action_dict' : 'action';
  const placeOf = (key: string) => {
    const feature = contract.features[key];
    // What is known at the end only is no observation: a policy would see the future.
    if (feature?.kind === 'outcome') return feature.value === 'reward' ? 'reward' : names.get(key)!;
    if (!isAction(key)) return `observation/${names.get(key)}`;
    return key === 'action' ? key : `${parts}/${key.slice('action.'.length).replaceAll('.', '_')}`;
  };
  const columns = frameColumns(contract).map((column): ColumnLeaf => {
    const name = names.get(column.key);
    const place = {
      value: placeOf(column.key),
      age: `age/${name}`,
      valid: `valid/${name}`,
      tickTime: 'tick_time',
    }[column.content];
    // TFDS stores every floating-point number in 32 bits, whatever it is declared as.
    const dtype = column.dtype === 'float64' ? 'float32' : column.dtype;
    return { path: `steps/${place}`, type: { kind: 'tensor', dtype, shape: rowShape(column) }, column };
  });
  const pictures = imageFeatures(contract).map(([key, { width, height }]): PictureLeaf => {
    if (isAction(key)) {
      throw new ConvertError(
        `Cannot write RLDS: feature "${key}" is a picture, which is an observation. Name it "observation.images.…".`,
      );
    }
    return { path: `steps/${placeOf(key)}`, type: { kind: 'image', width, height }, key };
  });
  const texts = textFeatures(contract).map(
    (key): TextLeaf => ({ path: `steps/${placeOf(key)}`, type: TEXT, key }),
  );
  return { columns, pictures, texts };
}

/** Elements of one step of a tensor. */
export function leafSize({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, n) => product * n, 1);
}
