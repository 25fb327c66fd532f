import { z } from '../../schemas/validation.ts';
import type { Leaf, LeafType, TensorType } from './layout.ts';

/**
 * `features.json`: the tree of a dataset's features in the JSON form of TFDS' protocol buffers
 * (tensorflow_datasets/core/proto/feature.proto), where 64-bit integers are text.
 */
const CLASSES = 'tensorflow_datasets.core.features.';

/** @param leaves by path, folders separated by "/"; the first folder `steps` becomes the sequence of steps. */
export function featuresJson(leaves: readonly Leaf[]): object {
  const below = (folder: string) =>
    leaves.flatMap(({ path, type }) =>
      path.startsWith(`${folder}/`) ? [{ path: path.slice(folder.length + 1), type }] : [],
    );
  const steps = {
    pythonClassName: `${CLASSES}dataset_feature.Dataset`,
    sequence: { feature: dictionary(below('steps')), length: '-1' },
  };
  return features({ steps, episode_metadata: dictionary(below('episode_metadata')) });
}

function features(children: Readonly<Record<string, object>>): object {
  return { pythonClassName: `${CLASSES}features_dict.FeaturesDict`, featuresDict: { features: children } };
}

function dictionary(leaves: readonly Leaf[]): object {
  const children: Record<string, object> = {};
  for (const { path, type } of leaves) {
    const [folder, ...rest] = path.split('/');
    if (rest.length === 0) children[folder!] = leafJson(type);
    else {
      const inside = leaves.filter((leaf) => leaf.path.startsWith(`${folder}/`));
      children[folder!] ??= dictionary(
        inside.map((leaf) => ({ path: leaf.path.slice(folder!.length + 1), type: leaf.type })),
      );
    }
  }
  return features(children);
}

function leafJson(type: LeafType): object {
  switch (type.kind) {
    case 'text':
      return { pythonClassName: `${CLASSES}text_feature.Text`, text: {} };
    case 'image':
      return {
        pythonClassName: `${CLASSES}image_feature.Image`,
        image: { shape: dimensions([type.height, type.width, 3]), dtype: 'uint8', encodingFormat: 'jpeg' },
      };
    case 'tensor':
      return {
        pythonClassName: `${CLASSES}${type.shape.length > 0 ? 'tensor_feature.Tensor' : 'scalar.Scalar'}`,
        tensor: { shape: dimensions(type.shape), dtype: type.dtype, encoding: 'none' },
      };
    default:
      throw type satisfies never;
  }
}

function dimensions(shape: readonly number[]): object {
  return shape.length > 0 ? { dimensions: shape.map(String) } : {};
}

const shapeSchema = z.object({ dimensions: z.array(z.coerce.number().int().positive()).default([]) });
const dtypeSchema = z.enum(['float32', 'int64', 'int16', 'uint16', 'uint8', 'bool'] satisfies TensorType[]);
const leafSchema = z.union([
  z.object({ text: z.object({}) }).transform((): LeafType => ({ kind: 'text' })),
  z
    .object({ image: z.object({ shape: shapeSchema, encodingFormat: z.literal('jpeg') }) })
    .transform(({ image }): LeafType => {
      const [height = 0, width = 0] = image.shape.dimensions;
      return { kind: 'image', width, height };
    }),
  z
    .object({ tensor: z.object({ shape: shapeSchema, dtype: dtypeSchema, encoding: z.literal('none') }) })
    .transform(
      ({ tensor }): LeafType => ({ kind: 'tensor', dtype: tensor.dtype, shape: tensor.shape.dimensions }),
    ),
]);
const dictionarySchema = z.object({
  featuresDict: z.object({ features: z.record(z.string(), z.unknown()) }),
});
const sequenceSchema = z.object({ sequence: z.object({ feature: z.unknown() }) });

/** The leaves of a tree, by path. @throws {Error} when a node is of no kind that we write. */
export function parseFeatures(node: unknown, path: readonly string[] = []): Leaf[] {
  const sequence = sequenceSchema.safeParse(node).data;
  if (sequence) return parseFeatures(sequence.sequence.feature, path);
  const children = dictionarySchema.safeParse(node).data?.featuresDict.features;
  if (!children) return [{ path: path.join('/'), type: leafSchema.parse(node) }];
  return Object.entries(children).flatMap(([name, child]) => parseFeatures(child, [...path, name]));
}
