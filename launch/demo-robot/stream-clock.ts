import { isActive, type TimedFault, topicOf } from './faults.ts';
import { Random } from './random.ts';
import type { StreamSpec } from './streams.ts';
import type { WorldOptions } from './world-options.ts';

/** One sampling instant of a stream; nanoseconds since the robot's start. */
export interface Sample {
  /** When the sensor really measured. */
  readonly instantNanos: number;
  /** What its stamp says. */
  readonly stampNanos: number;
  readonly publishNanos: number;
  readonly logNanos: number;
  /** The faults that touch it. */
  readonly faults: readonly TimedFault[];
}

/** The next sampling instant, and the fault that moved it. */
interface Plan {
  readonly instantNanos: number;
  readonly jitter: TimedFault | undefined;
}

const NANOS = 1e9;
/** Jitter and latency are cut off at this many standard deviations or means. */
const TAIL = 4;

/** When a stream samples and when its messages arrive: an even grid, a seeded scatter, and its faults. */
export class StreamClock {
  readonly #spec: StreamSpec;
  readonly #sampling: Random;
  readonly #arrival: Random;
  readonly #faults: readonly TimedFault[];
  readonly #phaseSecs: number;
  #index = 0;
  #lastLogNanos = 0;
  #next: Plan;

  constructor(spec: StreamSpec, { seed, faults }: Pick<WorldOptions, 'seed' | 'faults'>) {
    this.#spec = spec;
    this.#sampling = new Random(`${seed}/sampling${spec.sampledWith ?? spec.topic}`);
    this.#arrival = new Random(`${seed}/arrival${spec.topic}`);
    this.#faults = faults.filter(
      (fault): fault is TimedFault => fault.kind !== 'missed-grasp' && topicOf(fault) === spec.topic,
    );
    this.#phaseSecs = spec.phaseSecs ?? this.#sampling.between(0.05, 0.95) / (spec.rateHz ?? 1);
    this.#next = this.#plan();
  }

  /** Takes the next sample if its instant is not later than this. */
  next(untilNanos: number): Sample | undefined {
    const { instantNanos, jitter } = this.#next;
    if (instantNanos > untilNanos) return undefined;
    const { latencySecs, rateHz } = this.#spec;
    const [shortest, excess] = latencySecs;
    const latency = (shortest + excess * Math.min(TAIL, this.#arrival.exponential())) * NANOS;
    const logNanos = Math.max(this.#lastLogNanos, Math.round(instantNanos + latency));
    this.#lastLogNanos = logNanos;
    this.#index++;
    this.#next = rateHz ? this.#plan() : { instantNanos: Number.POSITIVE_INFINITY, jitter: undefined };
    const active = this.#faults.filter(
      (fault) => fault.kind !== 'jitter' && isActive(fault, instantNanos / NANOS),
    );
    const stepSecs = active.reduce(
      (sum, fault) => sum + (fault.kind === 'clock-step' ? fault.stepSecs : 0),
      0,
    );
    return {
      instantNanos,
      stampNanos: instantNanos + Math.round(stepSecs * NANOS),
      publishNanos: Math.round(instantNanos + latency * this.#arrival.between(0.4, 0.9)),
      logNanos,
      faults: jitter ? [jitter, ...active] : active,
    };
  }

  #plan(): Plan {
    const { rateHz, jitterSecs } = this.#spec;
    const scatter = Math.max(-TAIL, Math.min(TAIL, this.#sampling.normal())) * jitterSecs;
    const share = this.#sampling.between(-1, 1); // drawn always, so that a fault changes nothing after it
    const evenSecs = this.#phaseSecs + (rateHz ? this.#index / rateHz : 0);
    const jitter = this.#faults.find((fault) => fault.kind === 'jitter' && isActive(fault, evenSecs));
    const extra = jitter?.kind === 'jitter' ? share * jitter.amplitudeSecs : 0;
    return { instantNanos: Math.round((evenSecs + scatter + extra) * NANOS), jitter };
  }
}
