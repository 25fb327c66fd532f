import type { AlignPolicy } from '../schemas/contract.ts';

/** Anything that belongs to an instant of the contract's clock. */
export interface Timed {
  readonly time: bigint;
}

/** What a stream holds around a tick. */
export interface Neighbours<T extends Timed> {
  /** The latest at or before the tick. */
  readonly previous: T | undefined;
  /** The earliest after the tick. */
  readonly next: T | undefined;
  /** Of streams that a window is made of: all after the tick before, up to this tick, in order. */
  readonly sinceLast?: readonly T[];
}

/** What a feature takes at one tick. */
export interface Choice<T extends Timed> {
  readonly valid: boolean;
  /** As {@link FrameValue}'s: tick minus value, between two values the larger distance of the two. */
  readonly ageNanos: bigint | undefined;
  /** The value used; between two values the one before. Undefined exactly where the choice is not valid. */
  readonly value: T | undefined;
  /** For `linear` and `slerp` between two values: the one after, and how far towards it, in (0, 1). */
  readonly towards?: { readonly value: T; readonly weight: number };
  /** For `window`: all values since the tick before, in order; the last one is `value`. */
  readonly window?: readonly T[];
  /** For a feature made of several streams: what it takes of each. */
  readonly parts?: readonly Choice<T>[];
}

/**
 * Picks what a feature takes at a tick. `hold` never looks beyond the tick; `nearest` takes the earlier
 * of two equally near values; `linear` and `slerp` need a value on both sides, or one exactly at the tick. `window` takes all
 * values since the tick before and is valid when the newest one is.
 */
export function align<T extends Timed>(
  { previous, next, sinceLast = [] }: Neighbours<T>,
  tick: bigint,
  { policy, toleranceNanos }: { readonly policy: AlignPolicy; readonly toleranceNanos: bigint },
): Choice<T> {
  switch (policy) {
    case 'hold':
      return single(previous, tick, toleranceNanos);
    case 'nearest': {
      const nextIsNearer = next && (!previous || next.time - tick < tick - previous.time);
      return single(nextIsNearer ? next : previous, tick, toleranceNanos);
    }
    case 'window': {
      const newest = single(sinceLast.at(-1), tick, toleranceNanos);
      return newest.valid ? { ...newest, window: sinceLast } : newest;
    }
    case 'linear':
    case 'slerp': {
      if (!previous || !next || previous.time === tick) {
        const choice = single(previous ?? next, tick, toleranceNanos);
        return choice.ageNanos === 0n ? choice : { ...choice, valid: false, value: undefined };
      }
      const before = tick - previous.time;
      const after = next.time - tick;
      const previousIsNearer = before < after;
      const ageNanos = previousIsNearer ? after : before;
      if (ageNanos > toleranceNanos) return { valid: false, ageNanos, value: undefined };
      const weight = Number(before) / Number(before + after);
      return { valid: true, ageNanos, value: previous, towards: { value: next, weight } };
    }
    default:
      return policy satisfies never;
  }
}

function single<T extends Timed>(value: T | undefined, tick: bigint, toleranceNanos: bigint): Choice<T> {
  if (!value) return { valid: false, ageNanos: undefined, value };
  const ageNanos = tick - value.time;
  const valid = ageNanos <= toleranceNanos && -ageNanos <= toleranceNanos;
  return { valid, ageNanos, value: valid ? value : undefined };
}

/** What a feature takes that needs all of several streams: its age is the largest, to whichever side. */
export function together<T extends Timed>(parts: readonly Choice<T>[]): Choice<T> {
  const valid = parts.every((part) => part.valid);
  let ageNanos: bigint | undefined = 0n;
  for (const part of parts) {
    if (part.ageNanos === undefined || ageNanos === undefined) ageNanos = undefined;
    else if (magnitude(part.ageNanos) > magnitude(ageNanos)) ageNanos = part.ageNanos;
  }
  return { valid, ageNanos, value: valid ? parts[0]?.value : undefined, ...(valid && { parts }) };
}

function magnitude(nanos: bigint): bigint {
  return nanos < 0n ? -nanos : nanos;
}
