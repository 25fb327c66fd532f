import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import type { DatasetFormat } from '../dataset-writer.ts';
import { ActWriter, actFile } from './act-writer.ts';
import { type Hdf5File, Hdf5Thread } from './hdf5-thread.ts';
import type { Hdf5Entry } from './hdf5-worker.ts';
import { readAct } from './read-hdf5.ts';
import { episodeFaults, formOf } from './verify-episode.ts';

/** ACT and ALOHA: an HDF5 file per episode, all of one length. */
export const act: DatasetFormat = {
  name: 'act',
  card: {
    tags: ['ACT'],
    example: 'import h5py\n\nepisode = h5py.File("episode_0.hdf5")  # ACT: --dataset_dir path/to/this/folder',
  },
  pictureForm: async () => ({ kind: 'pixels' }),
  open: async (target) => new ActWriter(target),
  verify,
  read: readAct,
};

const NEEDED = ['action', 'observations/qpos', 'observations/qvel', 'observations/images'];

/** Checks what ACT's loader relies on: files counted up, datasets of one form and one length. */
async function verify(directory: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const present = (await readdir(directory)).filter((name) => name.endsWith('.hdf5'));
  const thread = new Hdf5Thread();
  let first: { readonly form: string; readonly rows: number } | undefined;
  for (let i = 0; i < present.length; i++) {
    const name = actFile(i);
    if (!present.includes(name)) {
      faults.push(`${name}: is missing among ${present.length} episodes.`);
      continue;
    }
    try {
      const file = await thread.read(join(directory, name));
      const entries = await file.list();
      const form = formOf(entries, '');
      const rows = entries.find(({ path }) => path === 'action')?.dataset?.shape[0] ?? 0;
      first ??= { form, rows };
      if (form !== first.form) faults.push(`${name}: holds ${form}; ${actFile(0)} holds ${first.form}.`);
      if (rows !== first.rows) faults.push(`${name}: has ${rows} steps, ${actFile(0)} has ${first.rows}.`);
      for await (const fault of fileFaults(file, { entries, rows })) faults.push(`${name}: ${fault}`);
      await file.close();
    } catch (error) {
      faults.push(error instanceof DatasetError ? error.message : `${name}: ${(error as Error).message}`);
    }
  }
  await thread.end();
  if (present.length === 0) faults.push(`${actFile(0)}: is missing.`);
  return faults;
}

async function* fileFaults(
  file: Hdf5File,
  { entries, rows }: { entries: readonly Hdf5Entry[]; rows: number },
): AsyncGenerator<string> {
  const paths = new Set(entries.map(({ path }) => path));
  for (const needed of NEEDED) if (!paths.has(needed)) yield `${needed} is missing.`;
  const { sim, num_steps } = entries.find(({ path }) => path === '')?.attributes ?? {};
  if (sim === undefined) yield 'has no attribute "sim".';
  const frames = Number(num_steps);
  if (!(frames > 0 && frames <= rows)) {
    yield `its attribute num_steps is ${num_steps}, it must lie in 1 to ${rows}.`;
    return;
  }
  if (paths.has('is_pad')) {
    const padded = await file.values('is_pad');
    const wrong = padded.findIndex((flag: number | bigint, row: number) => Boolean(flag) !== row >= frames);
    if (wrong >= 0) yield `is_pad, row ${wrong}: is ${padded[wrong]}, ${frames} steps were recorded.`;
  }
  const valuesOf = (name: string) =>
    paths.has(`actions/${name}`) ? `actions/${name}` : name === 'action' ? 'action' : `observations/${name}`;
  yield* episodeFaults(file, { group: '', entries, rows, frames, valuesOf });
}
