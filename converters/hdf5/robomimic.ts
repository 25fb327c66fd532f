import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { z } from '../../schemas/validation.ts';
import type { DatasetFormat } from '../dataset-writer.ts';
import { type Hdf5File, Hdf5Thread } from './hdf5-thread.ts';
import type { Hdf5Entry } from './hdf5-worker.ts';
import { readRobomimic } from './read-hdf5.ts';
import { ROBOMIMIC_FILE, RobomimicWriter } from './robomimic-writer.ts';
import { episodeFaults, formOf } from './verify-episode.ts';

/** Demonstrations of robomimic: one HDF5 file for its `SequenceDataset`. */
export const robomimic: DatasetFormat = {
  name: 'robomimic',
  card: {
    tags: ['robomimic'],
    example:
      'from robomimic.utils.dataset import SequenceDataset\n\n' +
      'dataset = SequenceDataset("demos.hdf5", obs_keys=[...], dataset_keys=["actions"], hdf5_load_next_obs=False)',
  },
  pictureForm: async () => ({ kind: 'pixels' }),
  open: (target) => RobomimicWriter.open(target),
  verify,
  read: readRobomimic,
};

const environmentSchema = z.object({
  env_name: z.string(),
  env_type: z.int(),
  env_kwargs: z.record(z.string(), z.unknown()),
});

/** Checks what `SequenceDataset` relies on: demos counted up, lengths, one form for all. */
async function verify(directory: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const thread = new Hdf5Thread();
  try {
    const file = await thread.read(join(directory, ROBOMIMIC_FILE));
    const entries = await file.list();
    const demos = entries.filter(({ path }) => /^data\/[^/]+$/.test(path));
    const attributes = entries.find(({ path }) => path === 'data')?.attributes ?? {};
    const environment = parseEnvironment(attributes.env_args);
    if (environment !== undefined) faults.push(`data: its attribute env_args ${environment}.`);
    let total = 0;
    for (let i = 0; i < demos.length; i++) {
      const path = `data/demo_${i}`;
      const demo = demos.find((each) => each.path === path);
      if (!demo) faults.push(`${path}: is missing among ${demos.length} demos.`);
      else {
        const rows = Number(demo.attributes.num_samples);
        total += rows;
        faults.push(...(await demoFaults(file, { path, rows, entries })));
      }
    }
    if (Number(attributes.total) !== total) {
      faults.push(`data: its attribute total is ${attributes.total}, the demos hold ${total}.`);
    }
  } catch (error) {
    faults.push(
      error instanceof DatasetError ? error.message : `${ROBOMIMIC_FILE}: ${(error as Error).message}`,
    );
  } finally {
    await thread.end();
  }
  return faults;
}

function parseEnvironment(text: unknown): string | undefined {
  try {
    environmentSchema.parse(JSON.parse(String(text)));
    return undefined;
  } catch (error) {
    return `is not what robomimic reads (${(error as Error).message})`;
  }
}

async function demoFaults(
  file: Hdf5File,
  { path, rows, entries }: { path: string; rows: number; entries: readonly Hdf5Entry[] },
): Promise<string[]> {
  const faults: string[] = [];
  const group = `${path}/`;
  const [form, first] = [formOf(entries, group), formOf(entries, 'data/demo_0/')];
  if (form !== first) faults.push(`${path}: holds ${form}; data/demo_0 holds ${first}.`);
  for (const wanted of ['actions', 'rewards', 'dones', 'obs']) {
    if (!entries.some((entry) => entry.path === group + wanted))
      faults.push(`${group}${wanted}: is missing.`);
  }
  const isPart = (name: string) => entries.some((entry) => entry.path === `${group}action_dict/${name}`);
  const valuesOf = (name: string) =>
    isPart(name) ? `action_dict/${name}` : name === 'action' ? 'actions' : `obs/${name}`;
  for await (const fault of episodeFaults(file, { group, entries, rows, valuesOf })) faults.push(fault);
  return faults;
}
