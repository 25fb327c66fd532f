import type { LateRows } from './dataset-reading.ts';
import { isLarge } from './episode-numbers.ts';

/** What a dataset holds of one episode beside its pictures, as a verification has read it back. */
export interface StoredEpisode {
  /** Nanoseconds, one per frame. */
  readonly tickTimes: ArrayLike<bigint>;
  readonly features: readonly StoredFeature[];
}

export interface StoredFeature {
  readonly name: string;
  /** One per frame, 0 or 1. */
  readonly valid: ArrayLike<number | bigint>;
  /** One per frame, seconds; of a window one per slot, the newest last. */
  readonly age: ArrayLike<number>;
  /** Of all frames one after the other; absent for pictures. */
  readonly values?: ArrayLike<number | bigint>;
}

export interface FrameFault {
  readonly row: number;
  /** What is wrong, as the rest of a sentence; the same for every row of a kind. */
  readonly text: string;
}

/** The values of a feature for {@link frameFaults}; of a map one number a row: one that is not empty, if any. */
export async function storedValues(
  { rows, read }: LateRows,
  shape: readonly number[],
): Promise<ArrayLike<number | bigint>> {
  if (!isLarge({ shape })) return await read({ from: 0, to: rows });
  const width = shape.reduce((product, n) => product * n, 1);
  const found: (number | bigint)[] = [];
  for (let row = 0; row < rows; row++) {
    const values = await read({ from: row, to: row + 1 });
    let i = 0;
    while (i < width - 1 && isEmpty(values[i]!)) i++;
    found.push(values[i]!);
  }
  return found;
}

/** Whether a number is what stands where there is no value: not a number, or 0 where the type has nothing else. */
export function isEmpty(value: number | bigint): boolean {
  return Number.isNaN(value) || Number(value) === 0;
}

/**
 * Checks what holds for every episode in whatever format: ticks are evenly spaced, a value that counts has an
 * age, and a value that does not count is not a number, or 0 where the type has nothing else. A row that is
 * missing, repeated or in another place breaks the first; a column shifted against its mask the last.
 */
export function* frameFaults({ tickTimes, features }: StoredEpisode): Generator<FrameFault> {
  const frames = tickTimes.length;
  const period = frames > 1 ? tickTimes[1]! - tickTimes[0]! : 0n;
  for (let row = 1; row < frames; row++) {
    const step = tickTimes[row]! - tickTimes[row - 1]!;
    // A tick lies at the nanosecond below i / rate: steps differ by one at most.
    if (step <= 0n || step - period > 1n || period - step > 1n) {
      yield { row, text: `its tick lies ${step} ns after the one before, the first step is ${period} ns` };
      break;
    }
  }
  for (const { name, valid, age, values } of features) {
    const width = values ? values.length / frames : 0;
    const slots = age.length / frames;
    if (valid.length !== frames || slots < 1 || !Number.isInteger(slots) || !Number.isInteger(width)) {
      yield { row: 0, text: `"${name}" does not have one value, age and mask for each of ${frames} frames` };
      continue;
    }
    for (let row = 0; row < frames; row++) {
      const counts = Number(valid[row]) === 1;
      const newest = age[(row + 1) * slots - 1]!;
      if (counts ? Number.isNaN(newest) : Number(valid[row]) !== 0) {
        yield { row, text: `"${name}" is marked ${valid[row]} and has age ${newest}` };
      }
      if (counts || !values) continue;
      const empty = Array.from({ length: width }, (_, i) => values[row * width + i]!).every(isEmpty);
      if (!empty) yield { row, text: `"${name}" is marked invalid and holds a value` };
    }
  }
}
