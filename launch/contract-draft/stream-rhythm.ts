import { nanosToSecs } from '../../schemas/time.ts';

/** How regularly messages come. */
export interface Rhythm {
  /** Median time between two messages, seconds. */
  readonly periodSecs: number;
  readonly largestGapSecs: number;
  /** Nineteen of twenty gaps are no longer than this. */
  readonly usualGapSecs: number;
  /** Messages per second; undefined for streams that come when something happens. */
  readonly rateHz: number | undefined;
  /** From the first message to the last, seconds. */
  readonly spanSecs: number;
}

/** Rates that drivers are set to: a measured one within a few percent is one of them. */
const USUAL_RATES = [
  1, 2, 4, 5, 10, 15, 20, 24, 25, 30, 40, 50, 60, 90, 100, 120, 125, 150, 200, 240, 250, 300, 330, 400, 500,
  600, 800, 1000, 2000,
];
const SNAP_SHARE = 0.03;
/** Fewer say nothing of a rate. */
const MIN_MESSAGES = 8;
/** A stream is regular when so many of its periods lie within half of the median around it … */
const REGULAR_SHARE = 0.6;
/** … and so many messages came as the median promises; bursts promise far more. */
const PRESENT_SHARE = 0.5;

/** @param times of messages in any order; undefined for fewer than two different ones. */
export function rhythmOf(times: readonly bigint[]): Rhythm | undefined {
  const sorted = times.toSorted((a, b) => Number(a - b));
  const gaps = sorted
    .slice(1)
    .map((time, i) => nanosToSecs(time - sorted[i]!))
    .sort((a, b) => a - b);
  const largestGapSecs = gaps.at(-1);
  if (largestGapSecs === undefined || largestGapSecs === 0) return undefined;
  const quantile = (share: number) => gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))]!;
  const periodSecs = quantile(0.5);
  const near = gaps.filter((gap) => Math.abs(gap - periodSecs) <= periodSecs / 2).length;
  const spanSecs = nanosToSecs(sorted.at(-1)! - sorted[0]!);
  const isRegular =
    times.length >= MIN_MESSAGES &&
    near >= REGULAR_SHARE * gaps.length &&
    gaps.length * periodSecs >= PRESENT_SHARE * spanSecs;
  return {
    periodSecs,
    largestGapSecs,
    usualGapSecs: quantile(0.95),
    rateHz: isRegular ? usualRate(1 / periodSecs) : undefined,
    spanSecs,
  };
}

function usualRate(measuredHz: number): number {
  const usual = USUAL_RATES.find((rate) => Math.abs(rate - measuredHz) <= SNAP_SHARE * rate);
  return usual ?? Number(measuredHz.toPrecision(3));
}

/** Rounds up to two digits: 0.0213 becomes 0.022. */
export function roundUp(secs: number): number {
  const unit = 10 ** (Math.floor(Math.log10(secs)) - 1);
  return Number((Math.ceil(secs / unit - 1e-9) * unit).toPrecision(2));
}
