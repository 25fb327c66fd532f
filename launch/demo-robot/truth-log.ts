import { secsToNanos } from '../../schemas/time.ts';
import type { Fault } from './faults.ts';
import { SENSORS, STEP_SECS } from './mjcf.ts';
import type { Phase } from './pick-and-place.ts';
import { BLOCK_AT, type State } from './state.ts';
import type {
  BlockTruth,
  ContactPair,
  DemoTruth,
  FaultTruth,
  InstantText,
  Interval,
  TaskTruth,
} from './truth.ts';
import type { WorldOptions } from './world-options.ts';

/** Newtons above which the touch sensors of the physics count as touch. */
const TOUCH = 0.02;
/** Breaks shorter than this are bridged: rigid bodies rattle. */
const BRIDGE_SECS = 0.01;
const BLOCK_PERIOD_SECS = 0.05;
/** Distance from the target's centre up to which the block counts as placed. */
const SUCCESS_METRES = 0.02;

const PAIRS: readonly ContactPair[] = ['finger_left-block', 'finger_right-block', 'block-table'];

interface OpenTask {
  readonly fromSecs: number;
  readonly target: readonly number[];
}

/** Writes down what really happens, step by step. */
export class TruthLog {
  readonly #seed: number;
  readonly #startTime: bigint;
  readonly #phases: (Interval & { phase: Phase })[] = [];
  readonly #touch: Readonly<Record<ContactPair | 'grasp', SpanLog>> = {
    'finger_left-block': new SpanLog(),
    'finger_right-block': new SpanLog(),
    'block-table': new SpanLog(),
    grasp: new SpanLog(),
  };
  readonly #tasks: TaskTruth[] = [];
  readonly #block: BlockTruth[] = [];
  readonly #faults: readonly { readonly fault: Fault; readonly sensorTimes: InstantText[] }[];
  #phase: Phase = 'rest';
  #phaseFrom = 0;
  #task: OpenTask | undefined;
  #last: State | undefined;

  constructor({ seed, startTime, faults }: Pick<WorldOptions, 'seed' | 'startTime' | 'faults'>) {
    this.#seed = seed;
    this.#startTime = startTime;
    this.#faults = faults.map((fault) => ({ fault, sensorTimes: [] }));
  }

  /** A physics step's outcome; every one, in order. */
  state(state: State): void {
    this.#last = state;
    const { timeSecs, sensors, qpos } = state;
    const left = sensors[SENSORS.touchLeft]! > TOUCH;
    const right = sensors[SENSORS.touchRight]! > TOUCH;
    this.#touch['finger_left-block'].observe(timeSecs, left);
    this.#touch['finger_right-block'].observe(timeSecs, right);
    this.#touch['block-table'].observe(timeSecs, sensors[SENSORS.touchTable]! > TOUCH);
    this.#touch.grasp.observe(timeSecs, left && right);
    if (timeSecs >= this.#block.length * BLOCK_PERIOD_SECS - 1e-9) {
      const [x, y, z, qw, qx, qy, qz] = qpos.subarray(BLOCK_AT, BLOCK_AT + 7);
      this.#block.push({
        time: this.#instant(timeSecs),
        position: [x!, y!, z!],
        orientation: [qx!, qy!, qz!, qw!],
      });
    }
  }

  /** What the arm is about from now on. */
  phase(phase: Phase, timeSecs: number): void {
    if (phase === this.#phase) return;
    if (timeSecs > this.#phaseFrom) this.#phases.push(this.#phaseUntil(timeSecs));
    [this.#phase, this.#phaseFrom] = [phase, timeSecs];
  }

  taskBegins(timeSecs: number, target: readonly number[]): void {
    this.#task = { fromSecs: timeSecs, target };
  }

  taskEnds(timeSecs: number): void {
    if (!this.#task || !this.#last) return;
    const { target, fromSecs } = this.#task;
    const { qpos, sensors } = this.#last;
    const missMetres = Math.hypot(qpos[BLOCK_AT]! - target[0]!, qpos[BLOCK_AT + 1]! - target[1]!);
    const isHeld = sensors[SENSORS.touchLeft]! > TOUCH || sensors[SENSORS.touchRight]! > TOUCH;
    const stands = sensors[SENSORS.touchTable]! > TOUCH;
    const success = missMetres < SUCCESS_METRES && stands && !isHeld;
    this.#tasks.push({ ...this.#interval(fromSecs, timeSecs), target, missMetres, success });
    this.#task = undefined;
  }

  /** A message that a fault touched or kept away. */
  touched(fault: Fault, stampTime: bigint): void {
    this.#faults.find((each) => each.fault === fault)?.sensorTimes.push(String(stampTime));
  }

  /** The account up to now. */
  finish(timeSecs: number): DemoTruth {
    this.taskEnds(timeSecs);
    const phases = [...this.#phases, this.#phaseUntil(timeSecs)];
    return {
      seed: this.#seed,
      ...this.#interval(0, timeSecs),
      phases,
      contacts: PAIRS.flatMap((pair) => this.#intervals(pair, timeSecs).map((span) => ({ pair, ...span }))),
      grasps: this.#intervals('grasp', timeSecs),
      tasks: this.#tasks,
      block: this.#block,
      faults: this.#faults.map(({ fault, sensorTimes }): FaultTruth => {
        return { fault, span: this.#spanOf(fault, phases, timeSecs), sensorTimes };
      }),
    };
  }

  /** Faults act in their window; a missed grasp from the first closing to the first opening. */
  #spanOf(
    fault: Fault,
    phases: readonly (Interval & { phase: Phase })[],
    endSecs: number,
  ): Interval | undefined {
    if (fault.kind !== 'missed-grasp') {
      const toSecs = Math.min(endSecs, fault.fromSecs + fault.forSecs);
      return toSecs > fault.fromSecs ? this.#interval(fault.fromSecs, toSecs) : undefined;
    }
    const closing = phases.find(({ phase }) => phase === 'grasp');
    const opening = phases.find(({ phase }) => phase === 'release');
    return closing && { startTime: closing.startTime, endTime: opening?.startTime ?? this.#instant(endSecs) };
  }

  #phaseUntil(timeSecs: number): Interval & { phase: Phase } {
    return { phase: this.#phase, ...this.#interval(this.#phaseFrom, timeSecs) };
  }

  #intervals(touch: ContactPair | 'grasp', endSecs: number): Interval[] {
    return this.#touch[touch].spans(endSecs).map(([from, to]) => this.#interval(from, to));
  }

  #interval(fromSecs: number, toSecs: number): Interval {
    return { startTime: this.#instant(fromSecs), endTime: this.#instant(toSecs) };
  }

  #instant(timeSecs: number): InstantText {
    return String(this.#startTime + secsToNanos(timeSecs));
  }
}

/** Spans in which something was true, short breaks bridged. */
class SpanLog {
  readonly #spans: [number, number][] = [];

  observe(timeSecs: number, holds: boolean): void {
    if (!holds) return;
    const last = this.#spans.at(-1);
    if (last && timeSecs - last[1] <= BRIDGE_SECS) last[1] = timeSecs;
    else this.#spans.push([timeSecs, timeSecs]);
  }

  spans(endSecs: number): readonly (readonly [number, number])[] {
    return this.#spans.map(([from, to]) => [from, Math.min(endSecs, to + STEP_SECS)]);
  }
}
