import type { Contract, VectorFeature } from '../schemas/contract.ts';
import { conjugate, multiply, type Quaternion } from '../schemas/quaternion.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { type Elements, elementCount, type Frame, type FrameValue, type VectorValue } from './frame.ts';
import { FORMS, normalized } from './rotation.ts';

/** A tick and the ones beside it; absent over the ends of the episode. */
interface Neighbourhood {
  readonly frame: Frame;
  readonly before: Frame | undefined;
  readonly after: Frame | undefined;
}

/**
 * Replaces the values that the contract derives from those of neighbouring ticks. Frames come one later than
 * they were made.
 */
export async function* deriveFrames<R>(
  frames: AsyncGenerator<Frame, R>,
  { features }: Contract,
): AsyncGenerator<Frame, R> {
  const derived = Object.entries(features).flatMap(([key, feature]) =>
    feature.kind === 'vector' && feature.derive ? [[key, DERIVE[feature.derive]] as const] : [],
  );
  if (derived.length === 0) return yield* frames;
  const complete = (around: Neighbourhood): Frame => {
    const values = new Map<string, FrameValue>(around.frame.values);
    for (const [key, derive] of derived) values.set(key, derive(key, around));
    return { ...around.frame, values };
  };
  // Who leaves early lets go of the decoders behind the frames.
  await using _ = frames;
  let before: Frame | undefined;
  let frame: Frame | undefined;
  let step = await frames.next();
  for (; !step.done; step = await frames.next()) {
    if (frame) yield complete({ frame, before, after: step.value });
    [before, frame] = [frame, step.value];
  }
  if (frame) yield complete({ frame, before, after: undefined });
  return step.value;
}

const DERIVE: Readonly<
  Record<NonNullable<VectorFeature['derive']>, (key: string, around: Neighbourhood) => VectorValue>
> = {
  next: (key, { frame, after }) => {
    const [now, next] = [vector(frame, key), after && vector(after, key)];
    return next ? { ...next, ageNanos: agedBy(next.ageNanos, frame, after!) } : masked(now);
  },
  delta: (key, { frame, after }) => {
    const [now, next] = [vector(frame, key), after && vector(after, key)];
    if (!now.valid || !next?.valid) return masked(now);
    const elements = now.feature.transform
      ? poseDelta(now.elements, next.elements)
      : next.elements.map((value, i) => value - now.elements[i]!);
    return { ...now, elements, ageNanos: agedBy(next.ageNanos, frame, after!) };
  },
  velocity: (key, { frame, before }) => {
    const [now, last] = [vector(frame, key), before && vector(before, key)];
    if (!now.valid || !last?.valid) return masked(now);
    const secs = nanosToSecs(instant(now, frame) - instant(last, before!));
    if (secs <= 0) return masked(now); // one message served both ticks
    return { ...now, elements: now.elements.map((value, i) => (value - last.elements[i]!) / secs) };
  },
};

type StreamVector = VectorValue<VectorFeature>;

function isOfMessages(value: VectorValue): value is StreamVector {
  return value.feature.kind === 'vector';
}

function vector({ values, index }: Frame, key: string): StreamVector {
  const value = values.get(key);
  if (value?.kind === 'vector' && isOfMessages(value)) return value;
  throw new TypeError(`frame ${index} has no vector "${key}"`);
}

function masked(value: StreamVector): StreamVector {
  const elements = new Float64Array(elementCount(value.feature)).fill(Number.NaN);
  return { ...value, valid: false, ageNanos: undefined, elements };
}

/** The age that a value of a later tick has at this one: negative, it lies in the future. */
function agedBy(ageNanos: bigint | undefined, frame: Frame, after: Frame): bigint | undefined {
  return ageNanos === undefined ? undefined : ageNanos - (after.tickTime - frame.tickTime);
}

/** What instant the numbers are of: between two messages the tick itself. */
function instant({ feature: { align }, ageNanos }: StreamVector, { tickTime }: Frame): bigint {
  return align === 'linear' || align === 'slerp' ? tickTime : tickTime - (ageNanos ?? 0n);
}

/** From one pose to the next, both x, y, z and a quaternion: the way in the target frame, and the turn as rotvec. */
function poseDelta(now: Elements, next: Elements): Float64Array {
  const turn = multiply(rotationOf(next), conjugate(rotationOf(now)));
  const way = Array.from({ length: 3 }, (_, i) => next[i]! - now[i]!);
  return Float64Array.of(...way, ...FORMS.rotvec(turn));
}

function rotationOf(pose: Elements): Quaternion {
  const [x, y, z, w] = pose.subarray(3, 7);
  return normalized([x!, y!, z!, w!])!;
}
