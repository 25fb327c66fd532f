import { expect, test } from 'vitest';
import { Flattened, type Run } from './flattened.ts';

async function* runsOf(...runs: (readonly number[] | Error)[]): AsyncGenerator<Run<number>, undefined> {
  for (const run of runs) {
    if (run instanceof Error) throw run;
    yield { length: run.length, at: (index) => run[index]! };
  }
}

test('next() gives the values of all runs when some are empty', async () => {
  const values: number[] = [];
  for await (const value of new Flattened(runsOf([], [1, 2], [], [], [3], []))) values.push(value);
  expect(values).toEqual([1, 2, 3]);
});

test('next() gives every value once when calls do not wait for each other', async () => {
  const flattened = new Flattened(runsOf([1], [2, 3], [4]));
  const results = await Promise.all(Array.from({ length: 6 }, () => flattened.next()));
  expect(results.map(({ value }) => value)).toEqual([1, 2, 3, 4, undefined, undefined]);
  expect(results.map(({ done }) => done)).toEqual([false, false, false, false, true, true]);
});

test('next() rejects when a run cannot be had, and ends', async () => {
  const flattened = new Flattened(runsOf([1], new RangeError('gone')));
  await flattened.next();
  await expect(flattened.next()).rejects.toThrow('gone');
  expect(await flattened.next()).toEqual({ value: undefined, done: true });
});

test('next() rejects when a value cannot be made, and ends the runs', async () => {
  let isEnded = false;
  async function* runs(): AsyncGenerator<Run<number>, undefined> {
    try {
      yield {
        length: 2,
        at: () => {
          throw new RangeError('no value');
        },
      };
    } finally {
      isEnded = true;
    }
  }
  const flattened = new Flattened(runs());
  await expect(flattened.next()).rejects.toThrow('no value');
  expect(isEnded).toBe(true);
  expect(await flattened.next()).toEqual({ value: undefined, done: true });
});

test('return() ends the runs when a loop is left', async () => {
  let isEnded = false;
  async function* runs(): AsyncGenerator<Run<number>, undefined> {
    try {
      yield* runsOf([1, 2], [3]);
    } finally {
      isEnded = true;
    }
  }
  for await (const value of new Flattened(runs())) if (value === 1) break;
  expect(isEnded).toBe(true);
});
