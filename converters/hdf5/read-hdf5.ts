import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { z } from '../../schemas/validation.ts';
import type { ColumnReading, EpisodeReading, PictureReading } from '../dataset-reading.ts';
import { isLarge } from '../episode-numbers.ts';
import type { FrameRange } from '../stored-elements.ts';
import { actFile, actLayout } from './act-writer.ts';
import type { EpisodeLayout } from './episode-layout.ts';
import { type Hdf5File, Hdf5Thread } from './hdf5-thread.ts';
import { ROBOMIMIC_FILE, robomimicLayout } from './robomimic-writer.ts';

/** What robomimic's `ep_meta` and ACT's `kinescribe` say; robomimic calls the task "lang". */
const sourceSchema = z
  .object({
    episode_id: z.string(),
    recording: z.string(),
    lang: z.string().optional(),
    task: z.string().optional(),
  })
  .transform(({ lang, task = lang, ...source }) => ({ ...source, task: task ?? '' }));

interface Stored {
  /** Name of the file. */
  readonly name: string;
  readonly file: Hdf5File;
  /** Path of the episode with a slash at its end; empty for the root. */
  readonly group: string;
  readonly layout: EpisodeLayout;
  /** Rows that come from the recording; what follows is padding. */
  readonly frames: number;
  readonly source: unknown;
}

/** Reads the demos of robomimic back. */
export async function* readRobomimic(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const layout = robomimicLayout(contract);
  const thread = new Hdf5Thread();
  try {
    const file = await thread.read(join(directory, ROBOMIMIC_FILE));
    const entries = await file.list();
    for (let i = 0; ; i++) {
      const demo = entries.find(({ path }) => path === `data/demo_${i}`);
      if (!demo) break;
      const { num_samples, ep_meta } = demo.attributes;
      const stored = { name: ROBOMIMIC_FILE, file, group: `${demo.path}/`, layout };
      yield await readEpisode({ ...stored, frames: Number(num_samples), source: ep_meta });
    }
  } finally {
    await thread.end();
  }
}

/** Reads the episodes of ACT back. */
export async function* readAct(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const layout = actLayout(contract);
  const thread = new Hdf5Thread();
  try {
    const count = (await readdir(directory)).filter((name) => name.endsWith('.hdf5')).length;
    for (let i = 0; i < count; i++) {
      const name = actFile(i);
      const file = await thread.read(join(directory, name));
      const { num_steps, kinescribe } = (await file.list()).find(({ path }) => path === '')!.attributes;
      const stored = { name, file, group: '', layout };
      yield await readEpisode({ ...stored, frames: Number(num_steps), source: kinescribe });
      await file.close();
    }
  } finally {
    await thread.end();
  }
}

async function readEpisode(stored: Stored): Promise<EpisodeReading> {
  const { name, file, group, layout, frames, source } = stored;
  const { episode_id, recording, task } = sourceSchema.parse(JSON.parse(String(source)));
  const columns: ColumnReading[] = [];
  for (const { path, column } of layout.columns) {
    const read = ({ from, to }: FrameRange) => file.values(group + path, [from, to]);
    const values = isLarge(column) ? { rows: frames, read } : await read({ from: 0, to: frames });
    columns.push({ place: `${name}, ${group}${path}`, column, values });
  }
  const instruction = { place: `${name}, ${group || '/'}`, values: [task], frames: () => [0] };
  return {
    ...{ id: episode_id, recording, columns, texts: [instruction] },
    pictures: (wanted) => readPictures(stored, wanted),
  };
}

async function* readPictures(
  { name, file, group, layout }: Stored,
  frames: readonly number[],
): AsyncGenerator<PictureReading> {
  for (const { path, key } of layout.pictures) {
    for (const frame of frames) {
      const pixels = Uint8Array.from(await file.values(group + path, [frame, frame + 1]), Number);
      yield { place: `${name}, ${group}${path}, row ${frame}`, key, frame, pixels, isLossy: false };
    }
  }
}
