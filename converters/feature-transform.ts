import type { VectorFeature } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import type { FeatureOrigin } from './feature-vector.ts';
import { elementCount, type VectorValue } from './frame.ts';
import { between, compose, IDENTITY, invert, type Pose, poseOf } from './pose.ts';
import { FORMS, type RotationForm } from './rotation.ts';
import type { ChainLink } from './transform-tree.ts';

/** Makes the pose of one frame in another, target-from-source, from the transforms on the way between them. */
export class TransformReader {
  readonly #feature: VectorFeature;
  readonly #origin: FeatureOrigin;
  readonly #links: readonly ChainLink[];
  /** Of the fixed links. */
  readonly #fixed: ReadonlyMap<ChainLink, Pose>;
  readonly #masked: Float64Array;

  constructor(feature: VectorFeature, links: readonly ChainLink[], origin: FeatureOrigin) {
    this.#feature = feature;
    this.#origin = origin;
    this.#links = links;
    const fixed = links.filter(({ edge }) => edge.isStatic);
    this.#fixed = new Map(fixed.map((link) => [link, this.#pose(link.edge.transform, link)]));
    this.#masked = new Float64Array(elementCount(feature)).fill(Number.NaN);
  }

  /** @param choice whose parts are those of the moving links, in their order. */
  read({ valid, ageNanos, parts = [] }: Choice<Sample>): VectorValue {
    const timing = { kind: 'vector', feature: this.#feature, valid, ageNanos } as const;
    if (!valid) return { ...timing, elements: this.#masked };
    const moving = parts.values();
    let targetFromSource = IDENTITY;
    for (const link of this.#links) {
      const parentFromChild = this.#fixed.get(link) ?? this.#chosen(moving.next().value!, link);
      const step = link.isInverse ? invert(parentFromChild) : parentFromChild;
      targetFromSource = compose(step, targetFromSource);
    }
    return { ...timing, elements: Float64Array.from(poseNumbers(targetFromSource, this.#feature.rotation)) };
  }

  #chosen({ value, towards }: Choice<Sample>, link: ChainLink): Pose {
    const pose = this.#pose(value!.value, link);
    return towards ? between(pose, this.#pose(towards.value.value, link), towards.weight) : pose;
  }

  #pose(transform: Sample['value'], { edge }: ChainLink): Pose {
    const pose = poseOf(transform);
    if (pose) return pose;
    const { key, topic, file } = this.#origin;
    throw new ConvertError(
      `Cannot make feature "${key}" of "${file}": on "${topic}" frame "${edge.child}" has a quaternion of ` +
        'length 0, which is no rotation. Leave the episode out, or correct the node that publishes the frame.',
    );
  }
}

/** Position and rotation one after the other, or together the rows of a matrix, [4, 4]. */
function poseNumbers({ position, rotation }: Pose, form: RotationForm | undefined): readonly number[] {
  if (form !== 'matrix') return [...position, ...(form ? FORMS[form](rotation) : rotation)];
  const m = FORMS.matrix(rotation);
  const rows = position.flatMap((at, row) => [...m.slice(3 * row, 3 * row + 3), at]);
  return [...rows, 0, 0, 0, 1];
}
