import type { Contract, VectorFeature } from '../../schemas/contract.ts';
import { imageFeatures } from '../frame-columns.ts';

interface Part {
  readonly start: number;
  readonly end: number;
  readonly original_key: string;
}

export interface Modality {
  readonly state: Readonly<Record<string, Part>>;
  readonly action: Readonly<Record<string, Part>>;
  readonly video: Readonly<Record<string, { readonly original_key: string }>>;
  readonly annotation: Readonly<Record<string, { readonly original_key: string }>>;
}

/**
 * The content of `meta/modality.json`, by which GR00T finds its inputs: every floating-point feature of one
 * dimension is a part of its own, named like the feature without `observation.`; the instruction is the
 * episode's task.
 */
export function modality(contract: Contract): Modality {
  const parts = (isPart: (key: string) => boolean, prefix: RegExp) =>
    Object.fromEntries(
      Object.entries(contract.features).flatMap(([key, feature]) =>
        feature.kind === 'vector' && isPart(key) && isContinuousVector(feature)
          ? [[partName(key, prefix), { start: 0, end: feature.shape[0]!, original_key: key }] as const]
          : [],
      ),
    );
  return {
    state: parts((key) => key.startsWith('observation.'), /^observation\./),
    action: parts((key) => key === 'action' || key.startsWith('action.'), /^action\./),
    video: Object.fromEntries(
      imageFeatures(contract).map(([key]) => [
        partName(key, /^observation\.(images?\.)?/),
        { original_key: key },
      ]),
    ),
    annotation: { 'human.task_description': { original_key: 'task_index' } },
  };
}

/** GR00T asks for `state.<part>` and cuts at every dot it did not put there itself. */
function partName(key: string, prefix: RegExp): string {
  return key.replace(prefix, '').replaceAll('.', '_');
}

function isContinuousVector({ dtype, shape }: VectorFeature): boolean {
  return shape.length === 1 && (dtype === 'float32' || dtype === 'float64');
}
