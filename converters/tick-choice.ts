import type { TimeRange } from '../schemas/time.ts';
import type { Choice } from './align.ts';
import type { AlignedTick, Sample } from './align-streams.ts';
import type { FeaturePlan } from './feature-plan.ts';

/** What every feature takes at one tick. */
export interface ChosenTick extends Pick<AlignedTick, 'index' | 'time'> {
  /** In the order of the features. */
  readonly choices: readonly Choice<Sample>[];
  /** Whether every feature that a frame needs is valid. */
  readonly complete: boolean;
}

/** Chooses at the ticks of a range, on the contract's clock, and passes over those outside it. */
export async function* chosenTicks(
  ticks: AsyncGenerator<AlignedTick>,
  { features, within }: { readonly features: readonly FeaturePlan[]; readonly within: TimeRange | undefined },
): AsyncGenerator<ChosenTick> {
  for await (const tick of ticks) {
    if (within && tick.time < within.startTime) continue;
    if (within && tick.time >= within.endTime) return;
    const choices = features.map((feature) => feature.choose(tick));
    const complete = features.every(({ required }, i) => !required || choices[i]!.valid);
    yield { index: tick.index, time: tick.time, choices, complete };
  }
}

export interface TrimOptions {
  readonly rateHz: number;
  readonly again: () => AsyncGenerator<ChosenTick>;
  readonly onTrimmedStart: (tick: ChosenTick) => void;
}

/**
 * Leaves out what lies before the first and after the last complete tick. Incomplete ticks are held back
 * until a complete one follows; when they last longer than a second, `again` walks the ticks once more to
 * find the last complete one, so that a stream that died early holds back no more than that second.
 */
export async function* trimmed(
  ticks: AsyncGenerator<ChosenTick>,
  { rateHz, again, onTrimmedStart }: TrimOptions,
): AsyncGenerator<ChosenTick> {
  let began = false;
  let lastComplete: number | undefined;
  let held: ChosenTick[] = [];
  for await (const tick of ticks) {
    began ||= tick.complete;
    if (!began) {
      onTrimmedStart(tick);
      continue;
    }
    held.push(tick);
    if (!tick.complete && lastComplete === undefined) {
      if (held.length <= rateHz) continue;
      lastComplete = (await surveyTicks(again())).last?.index ?? -1;
    }
    if (lastComplete !== undefined && tick.index > lastComplete) return;
    yield* held;
    held = [];
  }
}

/** What a walk over all ticks tells before the first frame is made. */
export interface TickSurvey {
  /** The first and the last complete tick; undefined where there is none. */
  readonly first: ChosenTick | undefined;
  readonly last: ChosenTick | undefined;
  /** The complete tick that shows where the episode was to go: the last one, or that at the goal's time. */
  readonly goal: ChosenTick | undefined;
}

/** @param goalTime on the contract's clock; absent where the end is the goal. */
export async function surveyTicks(ticks: AsyncGenerator<ChosenTick>, goalTime?: bigint): Promise<TickSurvey> {
  let [first, last, goal]: (ChosenTick | undefined)[] = [];
  for await (const tick of ticks) {
    if (!tick.complete) continue;
    first ??= tick;
    last = tick;
    if (goalTime === undefined || tick.time <= goalTime) goal = tick;
  }
  // Nothing is complete as early as the goal: the end will do.
  return { first, last, goal: goal ?? last };
}
