import type { Contract, Feature, StreamFeature } from '../schemas/contract.ts';
import { secsToNanos } from '../schemas/time.ts';
import { align, type Choice, together } from './align.ts';
import type { AlignedTick, Sample } from './align-streams.ts';
import { DepthReader } from './feature-depth.ts';
import { ImageReader } from './feature-image.ts';
import { PointsReader } from './feature-points.ts';
import { TextReader } from './feature-text.ts';
import { TransformReader } from './feature-transform.ts';
import { type FeatureOrigin, VectorReader } from './feature-vector.ts';
import { elementCount, type FrameValue } from './frame.ts';
import type { PictureSize } from './picture-geometry.ts';
import { isTransform, type StreamPlan } from './stream-plan.ts';
import type { TransformPlans } from './transform-plan.ts';

/** How one feature comes about: first it chooses at every tick, then it reads at the ticks that become frames. */
export interface FeaturePlan {
  readonly key: string;
  readonly feature: Feature;
  /** Whether a frame is incomplete without it. */
  readonly required: boolean;
  /** Whether every frame gets what is chosen at the goal. */
  readonly isGoal: boolean;
  choose(tick: AlignedTick): Choice<Sample>;
  /** @param frame its index. */
  read(choice: Choice<Sample>, frame: number): FrameValue | Promise<FrameValue>;
  /** Lets go of a decoder's process, where there is one. */
  close?(): Promise<void>;
}

interface Planned extends Pick<TransformPlans, 'chains'> {
  /** In the order of the ticks' neighbours. */
  readonly plans: readonly StreamPlan[];
  /** The episode. */
  readonly file: string;
  /** Whether pictures are decoded; else all are black. */
  readonly decodesPictures: boolean;
  /** Of those, which are looked at. @default all */
  readonly wantsPicture?: ((key: string, frame: number) => boolean) | undefined;
}

/** The contract's features, in its order. */
export function planFeatures(contract: Contract, planned: Planned): readonly FeaturePlan[] {
  const { plans, chains, file } = planned;
  return Object.entries(contract.features).map(([key, feature]): FeaturePlan => {
    if (feature.kind === 'outcome') return planOutcome(key, feature);
    const { topic, required } = contract.streams[feature.stream]!; // the contract's own check
    const origin = { key, topic, file };
    const isGoal = feature.kind === 'image' && feature.at === 'goal';
    const plan = { key, feature, required: required && !isGoal, isGoal };
    const choose = chooser(feature, plans);
    if (isTransform(feature)) {
      const links = chains.get(key)!;
      const moving = links.filter(({ edge }) => !edge.isStatic);
      const parts = moving.map(({ edge }) => choose(edge.child));
      const reader = new TransformReader(feature, links, origin);
      return {
        ...plan,
        choose: (tick) => together(parts.map((part) => part(tick))),
        read: (choice) => reader.read(choice),
      };
    }
    const reader = readerOf(feature, { contract, origin, planned });
    return {
      ...plan,
      choose: choose(),
      read: (choice, frame) => reader.read(choice, frame),
      close: async () => reader.close?.(),
    };
  });
}

interface Reader extends Pick<FeaturePlan, 'read' | 'close'> {}

function readerOf(
  feature: StreamFeature,
  {
    contract,
    origin,
    planned,
  }: { readonly contract: Contract; readonly origin: FeatureOrigin; readonly planned: Planned },
): Reader {
  switch (feature.kind) {
    case 'vector':
      return new VectorReader(feature, origin, pictureOf(contract, feature.intrinsicsOf));
    case 'text':
      return new TextReader(feature, origin);
    case 'points':
      return new PointsReader(feature, origin);
    case 'depth':
      return new DepthReader(feature, origin);
    case 'image': {
      const { decodesPictures, wantsPicture = () => true } = planned;
      if (decodesPictures)
        return new ImageReader(feature, origin, (frame) => wantsPicture(origin.key, frame));
      const pixels = new Uint8Array(elementCount(feature));
      return {
        read: ({ valid, ageNanos, value }) => {
          return { kind: 'image', feature, valid, ageNanos, pixels, coded: value?.picture };
        },
      };
    }
    default:
      return feature satisfies never;
  }
}

/** The picture that intrinsics follow. */
function pictureOf({ features }: Contract, key: string | undefined): PictureSize | undefined {
  const feature = key === undefined ? undefined : features[key];
  return feature?.kind === 'image' || feature?.kind === 'depth' ? feature : undefined;
}

/** Takes nothing of any stream: its value is made where the whole episode is known. */
function planOutcome(key: string, feature: Feature): FeaturePlan {
  return {
    ...{ key, feature, required: false, isGoal: false },
    choose: () => ({ valid: false, ageNanos: undefined, value: undefined }),
    read: () => {
      throw new TypeError(`"${key}" is not read from messages`);
    },
  };
}

/** Chooses of a stream, or of one frame among its transforms. */
function chooser(
  { stream, align: policy, toleranceSecs }: StreamFeature,
  plans: readonly StreamPlan[],
): (child?: string) => FeaturePlan['choose'] {
  const alignment = { policy, toleranceNanos: secsToNanos(toleranceSecs) };
  return (child) => {
    const plan = plans.findIndex(({ name, frame }) => name === stream && frame === child);
    return ({ neighbours, time }) => align(neighbours[plan]!, time, alignment);
  };
}
