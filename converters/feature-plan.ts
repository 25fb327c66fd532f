import type { Contract, Feature, ImageFeature } from '../schemas/contract.ts';
import { secsToNanos } from '../schemas/time.ts';
import { align, type Choice, together } from './align.ts';
import type { AlignedTick, Sample } from './align-streams.ts';
import { ImageReader } from './feature-image.ts';
import { TransformReader } from './feature-transform.ts';
import { VectorReader } from './feature-vector.ts';
import { elementCount, type FrameValue, type ImageValue } from './frame.ts';
import { isTransform, type StreamPlan } from './stream-plan.ts';
import type { TransformPlans } from './transform-plan.ts';

/** How one feature comes about: first it chooses at every tick, then it reads at the ticks that become frames. */
export interface FeaturePlan {
  readonly key: string;
  /** Whether a frame is incomplete without it. */
  readonly required: boolean;
  choose(tick: AlignedTick): Choice<Sample>;
  read(choice: Choice<Sample>): FrameValue | Promise<FrameValue>;
}

interface Planned extends Pick<TransformPlans, 'chains'> {
  /** In the order of the ticks' neighbours. */
  readonly plans: readonly StreamPlan[];
  /** The episode. */
  readonly file: string;
  /** Whether pictures are decoded; else all are black. */
  readonly decodesPictures: boolean;
}

/** The contract's features, in its order. */
export function planFeatures(contract: Contract, planned: Planned): readonly FeaturePlan[] {
  const { plans, chains, file, decodesPictures } = planned;
  return Object.entries(contract.features).map(([key, feature]): FeaturePlan => {
    const { topic, required } = contract.streams[feature.stream]!; // the contract's own check
    const origin = { key, topic, file };
    const choose = chooser(feature, plans);
    if (isTransform(feature)) {
      const links = chains.get(key)!;
      const moving = links.filter(({ edge }) => !edge.isStatic);
      const parts = moving.map(({ edge }) => choose(edge.child));
      const reader = new TransformReader(feature, links, origin);
      return {
        key,
        required,
        choose: (tick) => together(parts.map((part) => part(tick))),
        read: (choice) => reader.read(choice),
      };
    }
    const reader = feature.kind === 'vector' ? new VectorReader(feature, origin) : undefined;
    const picture = feature.kind === 'image' ? imageReader(feature, { origin, decodesPictures }) : undefined;
    return { key, required, choose: choose(), read: (choice) => (reader ?? picture!).read(choice) };
  });
}

/** Chooses of a stream, or of one frame among its transforms. */
function chooser(
  { stream, align: policy, toleranceSecs }: Feature,
  plans: readonly StreamPlan[],
): (child?: string) => FeaturePlan['choose'] {
  const alignment = { policy, toleranceNanos: secsToNanos(toleranceSecs) };
  return (child) => {
    const plan = plans.findIndex(({ name, frame }) => name === stream && frame === child);
    return ({ neighbours, time }) => align(neighbours[plan]!, time, alignment);
  };
}

function imageReader(
  feature: ImageFeature,
  {
    origin,
    decodesPictures,
  }: {
    readonly origin: ConstructorParameters<typeof ImageReader>[1];
    readonly decodesPictures: boolean;
  },
): { read(choice: Choice<Sample>): ImageValue | Promise<ImageValue> } {
  if (decodesPictures) return new ImageReader(feature, origin);
  const pixels = new Uint8Array(elementCount(feature));
  return { read: ({ valid, ageNanos }) => ({ kind: 'image', feature, valid, ageNanos, pixels }) };
}
