import { maxGapSecs, type Stream } from '../schemas/contract.ts';
import type { Loss, LossCause } from '../schemas/ledger.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { createSensorTimeReader, type ReadSensorTime } from '../schemas/message-codec.ts';
import type { StreamStatus, StreamTrouble } from '../schemas/recording-control.ts';
import { nanosToSecs, secsToNanos } from '../schemas/time.ts';
import { isLatched } from './latched-messages.ts';
import { RATE_CHANCE_HZ, RateMeter } from './rate-meter.ts';

/** Refusals closer together than this are one entry of the ledger. */
const BURST_NANOS = secsToNanos(0.5);

/** Messages that a publisher's hiccup delayed come within this long after it, closer together than usual. */
const CATCH_UP_NANOS = secsToNanos(1);
/** Transport varies by less than this; a sensor time further off than at the beginning runs away. */
const RUNAWAY_NANOS = secsToNanos(0.5);
/** The beginning: the least age of this long is what transport takes. */
const REFERENCE_NANOS = secsToNanos(1);
/** A stream whose rate is below this share of the contract's is in trouble. */
const LOW_RATE_SHARE = 0.75;

/**
 * Watches one topic of a take: counts, measures, and infers what the middleware lost, because a ROS 2
 * queue that overflows says nothing.
 */
export class StreamMonitor {
  readonly topic: string;
  readonly type: string | undefined;
  readonly streamName: string | undefined;
  readonly #stream: Stream | undefined;
  #readSensorTime: ReadSensorTime | undefined;
  readonly #startTime: bigint;
  readonly #isLatched: boolean;
  readonly #losses: Loss[] = [];
  /** The latest gap, while messages may still turn out to be late and not lost. */
  #gap: { loss: Loss; missing: number; caughtUp: boolean } | undefined;
  readonly #rate: RateMeter;
  #received = 0;
  #refused = 0;
  #bytes = 0;
  /** Since when nobody publishes. */
  #goneTime: bigint | undefined;
  /** Nobody published at some time since the last message. */
  #wasGone = false;
  #lastLogTime: bigint | undefined;
  #lastSensorTime: bigint | undefined;
  /** Smallest log time minus sensor time so far: what transport costs at least, plus the clocks' offset. */
  #leastAgeNanos: bigint | undefined;
  #largestGapNanos = 0n;
  #firstLogTime: bigint | undefined;
  #ageNanos: bigint | undefined;
  /** Least age of the beginning. */
  #referenceAgeNanos: bigint | undefined;

  /** @param startTime log time at which the take began. */
  constructor(channel: ChannelSpec, contract: readonly [string, Stream] | undefined, startTime: bigint) {
    this.topic = channel.topic;
    this.type = channel.schema?.name;
    this.streamName = contract?.[0];
    this.#stream = contract?.[1];
    this.#startTime = startTime;
    this.#rate = new RateMeter(startTime);
    this.#readSensorTime = createSensorTimeReader(channel);
    this.#isLatched = isLatched(channel);
  }

  /** The status of a stream of the contract that has no channel yet. */
  static unheard([name, stream]: readonly [string, Stream], silentNanos: bigint): StreamStatus {
    const silentSecs = nanosToSecs(silentNanos);
    const isMissed = stream.required && silentSecs > (maxGapSecs(stream) ?? Number.POSITIVE_INFINITY);
    return {
      topic: stream.topic,
      stream: name,
      received: 0,
      bytes: 0,
      lost: 0,
      rateHz: 0,
      expectedRateHz: stream.rateHz,
      silentSecs,
      largestGapSecs: silentSecs,
      ageSecs: undefined,
      trouble: isMissed ? 'silent' : undefined,
    };
  }

  get received(): number {
    return this.#received;
  }

  get written(): number {
    return this.#received - this.#refused;
  }

  /** What is lost as far as can be known now; the latest gap may shrink for a second. */
  get losses(): readonly Loss[] {
    const gap = this.#gapLoss();
    return gap ? [...this.#losses, gap] : this.#losses;
  }

  /** Takes note that messages have another definition from now on. */
  redefined(channel: ChannelSpec): void {
    this.#readSensorTime = createSensorTimeReader(channel);
  }

  /** Takes note of a message that arrived; call it for refused ones as well. */
  arrived(logTime: bigint, data: Uint8Array): void {
    this.#received++;
    this.#bytes += data.byteLength;
    this.#rate.count(logTime);
    const sensorTime = this.#readSensorTime?.(data);
    this.#measure(logTime, sensorTime);
    this.#settleAbsence(logTime); // the graph may tell only later that somebody is back
    this.#inferGap(logTime, sensorTime);
    this.#wasGone = false;
    this.#lastLogTime = logTime;
    if (sensorTime !== undefined) this.#lastSensorTime = sensorTime;
  }

  /** Takes note that the last publisher has left, or that one is back. */
  offered(isOffered: boolean, time: bigint): void {
    if (isOffered) {
      this.#settleAbsence(time);
    } else {
      this.#goneTime ??= time;
      this.#wasGone = true;
    }
  }

  /** Takes note of a message that arrived and found the queue full. */
  refused(logTime: bigint): void {
    this.#refused++;
    const last = this.#losses.at(-1);
    if (last?.cause === 'queue-full' && logTime - last.endTime < BURST_NANOS) {
      this.#losses[this.#losses.length - 1] = {
        ...last,
        messages: last.messages! + 1,
        endTime: logTime + 1n,
      };
    } else {
      this.#lose('queue-full', 1, logTime, logTime + 1n);
    }
  }

  /** Closes the account at the end of the take. */
  ended(endTime: bigint): void {
    this.#settleGap();
    this.#settleAbsence(endTime);
    const gap = this.#maxGapNanos();
    if (gap === undefined || this.#lastLogTime === undefined) return;
    if (endTime - this.#lastLogTime > gap) {
      const cause = this.#wasGone ? 'publisher-gone' : 'early-end';
      this.#lose(cause, this.#expected(endTime - this.#lastLogTime), this.#lastLogTime + 1n, endTime);
    }
  }

  /** @param lossesSince losses that ended before are trouble no more. @default the start */
  status(now: bigint, lossesSince = this.#startTime): StreamStatus {
    const lost = this.losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
    const rateHz = this.#rate.rateHz(now);
    const silentNanos = now - (this.#lastLogTime ?? this.#startTime);
    const largestGapNanos = silentNanos > this.#largestGapNanos ? silentNanos : this.#largestGapNanos;
    return {
      topic: this.topic,
      stream: this.streamName,
      received: this.#received,
      bytes: this.#bytes,
      lost,
      rateHz,
      expectedRateHz: this.#stream?.rateHz,
      silentSecs: nanosToSecs(silentNanos),
      largestGapSecs: nanosToSecs(largestGapNanos),
      ageSecs: this.#ageNanos === undefined ? undefined : nanosToSecs(this.#ageNanos),
      trouble: this.#trouble({ silentNanos, rateHz, lossesSince }),
    };
  }

  #trouble(seen: {
    readonly silentNanos: bigint;
    readonly rateHz: number;
    readonly lossesSince: bigint;
  }): StreamTrouble | undefined {
    const isGone = this.#goneTime !== undefined && this.#stream?.required === true && !this.#isLatched;
    if (isGone || this.#isSilent(seen.silentNanos)) return 'silent';
    if (this.losses.some(({ endTime }) => endTime > seen.lossesSince)) return 'lossy';
    if (this.#isSlow(seen.rateHz)) return 'slow';
    return this.#isRunaway() ? 'runaway' : undefined;
  }

  #measure(logTime: bigint, sensorTime: bigint | undefined): void {
    this.#firstLogTime ??= logTime;
    const previous = sensorTime === undefined ? this.#lastLogTime : this.#lastSensorTime;
    const gap = previous === undefined ? 0n : (sensorTime ?? logTime) - previous;
    if (gap > this.#largestGapNanos) this.#largestGapNanos = gap;
    if (sensorTime === undefined) return;
    this.#ageNanos = logTime - sensorTime;
    const isBeginning = logTime - this.#firstLogTime < REFERENCE_NANOS;
    if (this.#referenceAgeNanos === undefined || (isBeginning && this.#ageNanos < this.#referenceAgeNanos)) {
      this.#referenceAgeNanos = this.#ageNanos;
    }
  }

  #isRunaway(): boolean {
    const gap = this.#maxGapNanos();
    if (gap === undefined || this.#ageNanos === undefined || this.#referenceAgeNanos === undefined)
      return false;
    const moved = this.#ageNanos - this.#referenceAgeNanos;
    return (moved < 0n ? -moved : moved) > (gap > RUNAWAY_NANOS ? gap : RUNAWAY_NANOS);
  }

  #isSilent(silentNanos: bigint): boolean {
    const gap = this.#maxGapNanos();
    return gap !== undefined && silentNanos > gap;
  }

  /** Below its rate, once it has run for long enough to have one. */
  #isSlow(rateHz: number): boolean {
    const expected = this.#stream?.rateHz;
    if (expected === undefined || this.#received <= expected) return false;
    return rateHz + RATE_CHANCE_HZ < LOW_RATE_SHARE * expected;
  }

  #inferGap(logTime: bigint, sensorTime: bigint | undefined): void {
    const gap = this.#maxGapNanos();
    if (gap === undefined) return;
    if (this.#lastLogTime === undefined) {
      if (logTime - this.#startTime > gap) {
        this.#lose('late-start', this.#expected(logTime - this.#startTime), this.#startTime, logTime);
      }
    } else {
      const clockStepped = sensorTime !== undefined && this.#stampsRanAhead(logTime - sensorTime, gap);
      const previous = sensorTime === undefined ? this.#lastLogTime : this.#lastSensorTime;
      const sincePrevious = previous === undefined ? 0n : (sensorTime ?? logTime) - previous;
      if (sincePrevious > gap && !clockStepped) this.#openGap(sincePrevious, logTime);
      else this.#catchUp(sincePrevious, logTime);
      if (clockStepped) this.#leastAgeNanos = undefined;
    }
    if (sensorTime === undefined) return;
    const age = logTime - sensorTime;
    if (this.#leastAgeNanos === undefined || age < this.#leastAgeNanos) this.#leastAgeNanos = age;
  }

  #openGap(nanos: bigint, logTime: bigint): void {
    this.#settleGap();
    const span = { startTime: this.#lastLogTime! + 1n, endTime: logTime };
    const cause = this.#wasGone ? 'publisher-gone' : 'gap';
    if (this.#stream?.rateHz === undefined) this.#lose(cause, 0, span.startTime, span.endTime);
    else {
      const loss: Loss = { topic: this.topic, cause, messages: 0, ...span };
      this.#gap = { loss, missing: this.#expected(nanos) - 1, caughtUp: false };
    }
  }

  /** A message much closer to the one before than the period is one of those that seemed to be missing. */
  #catchUp(sincePrevious: bigint, logTime: bigint): void {
    if (!this.#gap) return;
    const periods = nanosToSecs(sincePrevious) * (this.#stream?.rateHz ?? 0);
    if (periods < 0.5) {
      this.#gap.missing -= 1 - Math.max(0, periods);
      this.#gap.caughtUp = true;
    }
    if (logTime - this.#gap.loss.endTime > CATCH_UP_NANOS) this.#settleGap();
  }

  #gapLoss(): Loss | undefined {
    if (!this.#gap) return undefined;
    const { loss, missing, caughtUp } = this.#gap;
    // The two ends of a bunch lie anywhere in their periods: that little is no loss.
    if (Math.round(missing) < 1 || (caughtUp && missing < 1.5)) return undefined;
    return { ...loss, messages: Math.round(missing) };
  }

  #settleGap(): void {
    const loss = this.#gapLoss();
    if (loss) this.#losses.push(loss);
    this.#gap = undefined;
  }

  /**
   * A stream whose gaps tell nothing has lost its publisher all the same; how much that is, nobody knows. What
   * a latched stream has said stays valid.
   */
  #settleAbsence(endTime: bigint): void {
    if (this.#goneTime === undefined) return;
    if (this.#stream?.required && !this.#isLatched && this.#maxGapNanos() === undefined) {
      this.#lose('publisher-gone', 0, this.#goneTime, endTime);
    }
    this.#goneTime = undefined;
  }

  /**
   * A jump of the stamps is a loss only if the message is as old on arrival as messages are here. One that
   * is younger than transport allows had its clock set forward, and nothing is missing.
   */
  #stampsRanAhead(ageNanos: bigint, gap: bigint): boolean {
    return this.#leastAgeNanos !== undefined && ageNanos < this.#leastAgeNanos - gap / 2n;
  }

  #maxGapNanos(): bigint | undefined {
    const secs = this.#stream && maxGapSecs(this.#stream);
    return secs === undefined ? undefined : secsToNanos(secs);
  }

  #expected(nanos: bigint): number {
    return Math.max(1, Math.round(nanosToSecs(nanos) * (this.#stream?.rateHz ?? 0)));
  }

  #lose(cause: LossCause, messages: number, startTime: bigint, endTime: bigint): void {
    // Without a rate there is no estimate, only the fact.
    const inferred = cause !== 'queue-full' && this.#stream?.rateHz === undefined;
    this.#losses.push({ topic: this.topic, cause, messages: inferred ? null : messages, startTime, endTime });
  }
}
