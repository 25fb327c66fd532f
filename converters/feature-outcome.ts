import type { OutcomeFeature } from '../schemas/contract.ts';
import type { Outcome } from '../schemas/episode.ts';
import { numberForm, type VectorValue } from './frame.ts';

/** What an episode as a whole says of each of its frames. */
export interface EpisodeEnd {
  /** Undefined where nobody has said: then only "done" is known. */
  readonly outcome: Outcome | undefined;
  /** How many frames the episode has. */
  readonly frames: number;
}

/** The value of an outcome feature at one frame. */
export function outcomeValue(
  feature: OutcomeFeature,
  index: number,
  { outcome, frames }: EpisodeEnd,
): VectorValue {
  const number = numberAt(feature, frames - 1 - index, outcome);
  const none = numberForm(feature).dtype === 'bool' ? 0 : Number.NaN;
  return {
    kind: 'vector',
    feature,
    valid: number !== undefined,
    ageNanos: number === undefined ? undefined : 0n,
    elements: Float64Array.of(number ?? none),
  };
}

/** @param remaining frames to come after this one. */
function numberAt(
  { value, discount }: OutcomeFeature,
  remaining: number,
  outcome: Outcome | undefined,
): number | undefined {
  if (value === 'done') return Number(remaining === 0);
  if (outcome === undefined) return undefined;
  const success = Number(outcome === 'success');
  switch (value) {
    case 'success':
      return success;
    case 'reward':
      return remaining === 0 ? success : 0;
    case 'return':
      return success * discount ** remaining;
    default:
      throw value satisfies never;
  }
}
