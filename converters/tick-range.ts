import { ConvertError } from '../schemas/errors.ts';
import { NANOS_PER_SEC, type TimeRange, tickTime } from '../schemas/time.ts';
import type { StreamPlan } from './stream-plan.ts';

/** The ticks of an episode, before incomplete ones are trimmed: tick k lies at origin + k / rate. */
export interface TickRange {
  readonly origin: bigint;
  readonly rateHz: number;
  readonly count: number;
  /** Index of the first tick that is wanted. @default 0 */
  readonly first?: number;
}

/**
 * An hour. Header stamps are seconds stale, or of a clock that was never set; but streams of one robot
 * that differ by more than this do not share a clock at all.
 */
const MAX_CLOCK_SPREAD_NANOS = 3600n * NANOS_PER_SEC;

/**
 * Spans the ticks from the earliest first to the latest last message of the required streams, or of all
 * where none is required. A stream with a single message (a latched one, perhaps sent long before) does
 * not set the range while another can.
 *
 * @throws {ConvertError} when a stream's times stand still or have nothing to do with the others'.
 */
export function tickRange(
  plans: readonly StreamPlan[],
  { file, rateHz }: { readonly file: string; readonly rateHz: number },
): TickRange {
  const present = plans.filter(({ messageCount }) => messageCount > 0);
  const required = present.filter(({ stream }) => stream.required);
  const candidates = required.length > 0 ? required : present;
  const periodic = candidates.filter(({ messageCount }) => messageCount > 1);
  const setting = periodic.length > 0 ? periodic : candidates;
  if (setting.length === 0) return { origin: 0n, rateHz, count: 0 };
  checkClocks(file, setting);
  const times = setting.flatMap(({ first, last }) => [first!.time, last!.time]).sort((a, b) => Number(a - b));
  const origin = times[0]!;
  return { origin, rateHz, count: ticksUpTo(times.at(-1)!, { origin, rateHz }) };
}

/**
 * By how much receive time is ahead of the contract's clock, nanoseconds: labels say what they say in receive
 * time. The shortest latency of any stream, or the distance between clocks that have nothing to do with each other.
 */
export function clockLagNanos(plans: readonly StreamPlan[]): bigint {
  let least: bigint | undefined;
  for (const { first, last } of plans) {
    for (const at of [first, last]) {
      if (at && (least === undefined || at.logTime - at.time < least)) least = at.logTime - at.time;
    }
  }
  return least ?? 0n;
}

/** How many ticks of a range without end lie at or before an instant that is not before its origin. */
export function ticksUpTo(time: bigint, { origin, rateHz }: Omit<TickRange, 'count'>): number {
  let count = Math.floor((Number(time - origin) * rateHz) / 1e9);
  // The estimate in floating point is off by one at most; tickTime decides.
  while (count > 0 && tickTime(origin, count - 1, rateHz) > time) count--;
  while (tickTime(origin, count, rateHz) <= time) count++;
  return count;
}

/** Indexes of the ticks that lie in a stretch of the contract's clock, half-open as the stretch is. */
export function ticksWithin(
  range: TickRange,
  { startTime, endTime }: TimeRange,
): { readonly from: number; readonly to: number } {
  const before = (time: bigint) =>
    time > range.origin ? Math.min(range.count, ticksUpTo(time - 1n, range)) : 0;
  return { from: before(startTime), to: before(endTime) };
}

function checkClocks(file: string, plans: readonly StreamPlan[]): void {
  for (const { name, stream, first, last, messageCount } of plans) {
    if (first!.time === last!.time && first!.logTime !== last!.logTime) {
      throw new ConvertError(
        `Cannot convert "${file}": the first and the last of ${messageCount} messages of stream "${name}" ` +
          `on "${stream.topic}" bear the same time, ${first!.time} ns. Set "clock: publish" or ` +
          '"clock: log" for the stream.',
      );
    }
  }
  const offsets = plans
    .flatMap(({ name, first, last }) => [first!, last!].map((at) => ({ name, nanos: at.logTime - at.time })))
    .sort((a, b) => Number(a.nanos - b.nanos));
  const [least, most] = [offsets[0]!, offsets.at(-1)!];
  if (most.nanos - least.nanos > MAX_CLOCK_SPREAD_NANOS) {
    const secs = (most.nanos - least.nanos) / NANOS_PER_SEC;
    throw new ConvertError(
      `Cannot convert "${file}": streams must share a clock, but stamps of "${most.name}" lie ${secs} s ` +
        `behind those of "${least.name}" received at the same time. Set "clock: publish" or "clock: log" ` +
        'for the stream whose stamps are wrong.',
    );
  }
}
