/** When a message came, on the contract's clock and on the recorder's. */
export interface Received {
  readonly time: bigint;
  readonly logTime: bigint;
}

/** Messages in a row whose stamps came from a clock that was not set meanwhile. */
export interface ClockSegment {
  readonly first: Received;
  last: Received;
  messages: number;
  /** How much later than by the first segment's clock messages seem to come, nanoseconds. */
  levelNanos: number;
}

/** A step is far outside of what sampling and transport do; half of it is no harm to be masked for. */
const SMALLEST_STEP_NANOS = 50e6;
/** How far back the fastest message is remembered: drift of 1000 ppm moves the clock by 20 ms meanwhile. */
const FLOOR_NANOS = 10e9;
/** Intervals that the usual one is the median of. */
const INTERVALS = 31;
const FEWEST_INTERVALS = 5;
/** A longer silence, in periods: what the transport did meanwhile is not known. */
const SILENCE_PERIODS = 3;
/** More are no steps of a clock but disorder. */
const MAX_SEGMENTS = 100;
/** Fewer late stamps in a row are stray messages. */
const FEWEST_LATE = 5;

/**
 * Cuts one publisher's messages where its sensor's clock was set. What tells a step from a message that was held
 * up: transport delays the receipt and leaves the stamps evenly spaced, a step does the reverse. And no
 * message comes earlier than the fastest.
 */
export class StepFinder {
  readonly #segments: ClockSegment[] = [];
  #isSteady = true;
  #previous: (Received & { readonly offset: number }) | undefined;
  readonly #origin: bigint;
  readonly #intervals: number[] = [];
  /** Smallest offset of this stretch of ten seconds and of the one before. */
  #floor = Number.POSITIVE_INFINITY;
  #floorBefore = Number.POSITIVE_INFINITY;
  #stretchEnd = 0n;
  /** Whether the segment's first stretch still finds out how late its fastest message is. */
  #isSettling = true;

  constructor(first: Received) {
    this.#origin = first.logTime - first.time;
  }

  /**
   * Takes the messages in order of receipt.
   *
   * @returns the segment that the message belongs to.
   */
  add(received: Received): ClockSegment {
    const { logTime, time } = received;
    const offset = Number(logTime - time - this.#origin);
    const segment = this.#segments.at(-1);
    const isStep = segment !== undefined && this.#isSteady && this.#isStep(received, offset);
    if (segment && this.#previous) this.#remember(Number(logTime - this.#previous.logTime));
    this.#previous = { ...received, offset };
    if (!segment || isStep) return this.#begin(received, offset);
    if (logTime >= this.#stretchEnd) {
      [this.#floorBefore, this.#floor] = [this.#floor, offset];
      this.#stretchEnd = logTime + BigInt(FLOOR_NANOS);
      this.#isSettling = false;
    }
    if (offset < this.#floor) {
      if (this.#isSettling && Number.isFinite(this.#floor)) segment.levelNanos -= this.#floor - offset;
      this.#floor = offset;
    }
    segment.last = received;
    segment.messages++;
    return segment;
  }

  /** Whether steps can be told at all: not where stamps jump all the time. */
  get isSteady(): boolean {
    return this.#isSteady;
  }

  /** All segments, and those among them that most messages' clock does not hold for. */
  finish(): { readonly segments: readonly ClockSegment[]; readonly stepped: ReadonlySet<ClockSegment> } {
    const segments = this.#segments;
    const onClock = (level: number) =>
      segments.filter(({ levelNanos }) => Math.abs(levelNanos - level) < SMALLEST_STEP_NANOS);
    const count = (some: readonly ClockSegment[]) => some.reduce((sum, { messages }) => sum + messages, 0);
    const [usual] = segments
      .map(({ levelNanos }) => ({ levelNanos, messages: count(onClock(levelNanos)) }))
      .sort((a, b) => b.messages - a.messages);
    const same = new Set(usual && this.#isSteady ? onClock(usual.levelNanos) : segments);
    const stepped = segments.filter(
      (segment) =>
        !same.has(segment) && (segment.levelNanos < usual!.levelNanos || segment.messages >= FEWEST_LATE),
    );
    return { segments, stepped: new Set(stepped) };
  }

  #isStep({ logTime, time }: Received, offset: number): boolean {
    if (this.#intervals.length < FEWEST_INTERVALS) return false;
    const previous = this.#previous!;
    const floor = Math.min(this.#floor, this.#floorBefore);
    const mayFall = offset < floor - SMALLEST_STEP_NANOS;
    const mayRise = offset > previous.offset + SMALLEST_STEP_NANOS;
    if (!mayFall && !mayRise) return false;
    const period = this.#intervals.toSorted((a, b) => a - b)[this.#intervals.length >> 1]!;
    const smallest = Math.max(SMALLEST_STEP_NANOS, 2 * period);
    const received = Number(logTime - previous.logTime);
    const stamped = Number(time - previous.time);
    if (Math.abs(stamped - period) <= Math.abs(received - period)) return false;
    if (mayRise) return offset > previous.offset + smallest;
    return offset < floor - smallest && received <= SILENCE_PERIODS * period;
  }

  #remember(interval: number): void {
    this.#intervals.push(interval);
    if (this.#intervals.length > INTERVALS) this.#intervals.shift();
  }

  #begin(first: Received, offset: number): ClockSegment {
    const before = this.#segments.at(-1);
    this.#isSteady &&= this.#segments.length < MAX_SEGMENTS;
    const floor = Math.min(this.#floor, this.#floorBefore);
    const levelNanos = before ? before.levelNanos + offset - floor : 0;
    this.#isSettling = true;
    [this.#floor, this.#floorBefore] = [offset, Number.POSITIVE_INFINITY];
    this.#stretchEnd = first.logTime + BigInt(FLOOR_NANOS);
    const segment: ClockSegment = { first, last: first, messages: 1, levelNanos };
    this.#segments.push(segment);
    return segment;
  }
}
