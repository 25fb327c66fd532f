import { entryOf } from '../entry-of.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { evenly } from './blocks.ts';
import { isGripper, isJointCommand, jointsOf } from './joints.ts';

/** Commands and the states that answer them, evenly sampled at {@link PAIR_RATE_HZ}, joint by joint. */
export interface Pair {
  readonly command: CheckedStream;
  readonly names: readonly string[];
  readonly commands: readonly Float64Array[];
  readonly states: readonly Float64Array[];
  /** Log times of samples, half-open. */
  window(first: number, last: number): { readonly startTime: bigint; readonly endTime: bigint };
}

export const PAIR_RATE_HZ = 100;
const PAIR_SECS = 10;
/** Nothing is interpolated across a longer silence. */
const MOST_SILENCE_SECS = 0.25;
const LEAST_SECS = 1.5;

interface Series {
  readonly names: readonly string[];
  readonly secs: number[];
  readonly columns: readonly number[][];
}

/**
 * Brings commands and states of the same joints together in stretches of ten seconds, on the clock of receipt: the
 * stamps of two computers may differ by more than the lag between them. Grippers are left out: they are told to
 * close further than what they hold lets them.
 */
export class PairedJoints {
  readonly #use: (pair: Pair) => void;
  readonly #commands = new Map<CheckedStream, Series>();
  readonly #states = new Map<CheckedStream, Series>();
  #startTime: bigint | undefined;

  constructor(use: (pair: Pair) => void) {
    this.#use = use;
  }

  observe(observation: Observation): void {
    const joints = jointsOf(observation);
    if (!joints?.positions.every(Number.isFinite)) return;
    this.#startTime ??= observation.logTime;
    const secs = Number(observation.logTime - this.#startTime) / 1e9;
    const into = isJointCommand(observation.stream) ? this.#commands : this.#states;
    const series = entryOf(into, observation.stream, () => ({
      names: joints.names,
      secs: [],
      columns: joints.names.map(() => []),
    }));
    if (secs <= (series.secs.at(-1) ?? -1)) return;
    series.secs.push(secs);
    for (const [i, column] of series.columns.entries()) column.push(joints.positions[i]!);
    if (secs >= PAIR_SECS) this.flush();
  }

  flush(): void {
    const startTime = this.#startTime ?? 0n;
    for (const [command, commands] of this.#commands) {
      for (const states of this.#states.values()) this.#pair(command, commands, states, startTime);
    }
    this.#commands.clear();
    this.#states.clear();
    this.#startTime = undefined;
  }

  #pair(command: CheckedStream, commands: Series, states: Series, startTime: bigint): void {
    const names = commands.names.filter((name) => !isGripper(name) && states.names.includes(name));
    const from = Math.max(commands.secs[0]!, states.secs[0]!);
    const to = Math.min(commands.secs.at(-1)!, states.secs.at(-1)!);
    if (names.length === 0 || to - from < LEAST_SECS) return;
    if (silence(commands) > MOST_SILENCE_SECS || silence(states) > MOST_SILENCE_SECS) return;
    const instant = (i: number) => startTime + BigInt(Math.round((from + i / PAIR_RATE_HZ) * 1e9));
    this.#use({
      command,
      names,
      commands: names.map((name) => column(commands, name, from, to)),
      states: names.map((name) => column(states, name, from, to)),
      window: (first, last) => ({ startTime: instant(first), endTime: instant(last) + 1n }),
    });
  }
}

function silence({ secs }: Series): number {
  let longest = 0;
  for (let i = 1; i < secs.length; i++) longest = Math.max(longest, secs[i]! - secs[i - 1]!);
  return longest;
}

/** One joint from one instant to another, evenly. */
function column({ names, secs, columns }: Series, name: string, from: number, to: number): Float64Array {
  const values = columns[names.indexOf(name)]!;
  const first = Math.max(
    0,
    secs.findLastIndex((time) => time <= from),
  );
  const times = Float64Array.from(secs.slice(first), (time) => time - from);
  const even = evenlyFrom(times, Float64Array.from(values.slice(first)));
  return even.subarray(0, Math.floor((to - from) * PAIR_RATE_HZ));
}

/** As `evenly`, for samples that begin before the first instant. */
function evenlyFrom(secs: Float64Array, values: Float64Array): Float64Array {
  if (secs[0]! < 0 && secs.length > 1) {
    const share = -secs[0]! / (secs[1]! - secs[0]!);
    values[0] = values[0]! + (values[1]! - values[0]!) * share;
    secs[0] = 0;
  }
  return evenly(secs, values, 1 / PAIR_RATE_HZ);
}
