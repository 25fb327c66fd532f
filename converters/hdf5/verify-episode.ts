import type { LateRows } from '../dataset-reading.ts';
import { frameFaults, type StoredFeature, storedValues } from '../stored-frames.ts';
import type { Hdf5File } from './hdf5-thread.ts';
import type { Hdf5Entry } from './hdf5-worker.ts';

export interface EpisodeExpectation {
  /** Path of the episode's group with a slash at its end; empty for the root. */
  readonly group: string;
  readonly entries: readonly Hdf5Entry[];
  /** Rows of every dataset. */
  readonly rows: number;
  /** Of those, how many come from the recording; the others are padding. @default rows */
  readonly frames?: number;
  /** Where a feature's values lie below the group, given its short name. */
  valuesOf(name: string): string;
}

/** Checks the datasets of one episode: as many rows in each, and what makes them frames of ours. */
export async function* episodeFaults(
  file: Hdf5File,
  { group, entries, rows, frames = rows, valuesOf }: EpisodeExpectation,
): AsyncGenerator<string> {
  const datasets = new Map(
    entries.flatMap(({ path, dataset }) =>
      dataset && path.startsWith(group) ? [[path.slice(group.length), dataset] as const] : [],
    ),
  );
  let sound = true;
  for (const [path, { shape }] of datasets) {
    if (shape[0] === rows) continue;
    sound = false;
    yield `${group}${path}: has ${shape[0]} rows, it must have ${rows}.`;
  }
  if (!datasets.has('tick_time')) yield `${group}tick_time: is missing.`;
  else if (sound) {
    const read = async (path: string) => {
      const values = await file.values(group + path);
      return values.subarray(0, (values.length / rows) * frames);
    };
    const late = (path: string): LateRows => ({
      rows: frames,
      read: ({ from, to }) => file.values(group + path, [from, to]),
    });
    const features: StoredFeature[] = [];
    for (const path of datasets.keys()) {
      if (!path.startsWith('valid/')) continue;
      const name = path.slice('valid/'.length);
      const values = valuesOf(name);
      const stored = datasets.get(values);
      features.push({
        name,
        valid: await read(path),
        age: Array.from(await read(`age/${name}`), Number),
        ...(stored &&
          !isPicture(stored) && { values: await storedValues(late(values), stored.shape.slice(1)) }),
      });
    }
    const tickTimes = Array.from(await read('tick_time'), BigInt);
    for (const { row, text } of frameFaults({ tickTimes, features })) yield `${group} row ${row}: ${text}.`;
  }
}

function isPicture({ shape }: { readonly shape: readonly number[] }): boolean {
  return shape.length === 4 && shape[3] === 3;
}

/** Form of each dataset of an episode but for its rows, to hold episodes against each other. */
export function formOf(entries: readonly Hdf5Entry[], group: string): string {
  return entries
    .flatMap(({ path, dataset }) =>
      dataset && path.startsWith(group)
        ? [`${path.slice(group.length)} ${dataset.dtype} [${dataset.shape.slice(1)}]`]
        : [],
    )
    .sort()
    .join(', ');
}
