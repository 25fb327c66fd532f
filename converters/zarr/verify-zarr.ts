import { DatasetError } from '../../schemas/errors.ts';
import { z } from '../../schemas/validation.ts';
import type { LateRows } from '../dataset-reading.ts';
import { frameFaults, type StoredFeature, storedValues } from '../stored-frames.ts';
import { EPISODE_ENDS } from './layout.ts';
import { openArray, readChunk, readRows, type StoredArray } from './zarr-array.ts';
import type { ZarrSource } from './zarr-store.ts';

export const attributesSchema = z.object({
  episodes: z.array(z.object({ id: z.string(), recording: z.string(), task: z.string() })),
});

/**
 * Reads a replay buffer back and checks what diffusion_policy relies on: groups, ends that ascend, as many
 * rows in every array as the last end says, every chunk whole; and what makes its episodes ours.
 *
 * @returns one sentence per fault.
 */
export async function verifyZarr(open: () => Promise<ZarrSource>): Promise<readonly string[]> {
  const faults: string[] = [];
  let source: ZarrSource | undefined;
  try {
    source = await open();
    const left = new Set(source.keys);
    for (const key of ['.zgroup', 'data/.zgroup', 'meta/.zgroup', '.zattrs']) {
      if (!left.delete(key)) faults.push(`${key}: is missing.`);
    }
    const arrays = await readArrays(source, { faults, left });
    for (const key of left) faults.push(`${key}: is no part of an array.`);
    if (faults.length > 0) return faults;
    const ends = [...(await readRows(source, EPISODE_ENDS))].map(Number);
    const { episodes } = attributesSchema.parse(
      JSON.parse(Buffer.from(await source.get('.zattrs')).toString()),
    );
    if (episodes.length !== ends.length) {
      faults.push(`.zattrs: names ${episodes.length} episodes, ${EPISODE_ENDS} has ${ends.length}.`);
    }
    for (const [i, end] of ends.entries()) {
      if (end <= (ends[i - 1] ?? 0))
        faults.push(`${EPISODE_ENDS}, row ${i}: ${end} does not lie after the one before.`);
    }
    for (const [path, { metadata }] of arrays) {
      const [rows] = metadata.shape;
      if (path.startsWith('data/') && rows !== ends.at(-1)) {
        faults.push(`${path}: has ${rows} rows, the last episode ends at ${ends.at(-1)}.`);
      }
    }
    if (faults.length === 0) faults.push(...(await episodeFaults(source, { arrays, ends })));
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    faults.push(
      error instanceof DatasetError ? error.message : `cannot be read (${(error as Error).message}).`,
    );
  } finally {
    await source?.close();
  }
  return faults;
}

/** Opens every array and reads every chunk once, taking their keys off the list. */
async function readArrays(
  source: ZarrSource,
  { faults, left }: { readonly faults: string[]; readonly left: Set<string> },
): Promise<Map<string, StoredArray>> {
  const arrays = new Map<string, StoredArray>();
  for (const key of [...left].filter((each) => each.endsWith('/.zarray')).sort()) {
    const path = key.slice(0, -'/.zarray'.length);
    const array = await openArray(source, path);
    arrays.set(path, array);
    left.delete(key);
    for (const chunk of array.chunkKeys) {
      left.delete(chunk);
      await readChunk(source, chunk, array).catch((error: Error) => faults.push(error.message));
    }
  }
  return arrays;
}

async function episodeFaults(
  source: ZarrSource,
  { arrays, ends }: { readonly arrays: ReadonlyMap<string, StoredArray>; readonly ends: readonly number[] },
): Promise<string[]> {
  const faults: string[] = [];
  const masked = [...arrays.keys()].flatMap((path) =>
    path.startsWith('data/valid_') ? [path.slice('data/valid_'.length)] : [],
  );
  for (const [i, to] of ends.entries()) {
    const range = { from: ends[i - 1] ?? 0, to };
    const late = (name: string): LateRows => ({
      rows: to - range.from,
      read: (rows) =>
        readRows(source, `data/${name}`, { from: range.from + rows.from, to: range.from + rows.to }),
    });
    const features: StoredFeature[] = [];
    for (const name of masked) {
      const value = arrays.get(`data/${name}`);
      features.push({
        name,
        valid: await readRows(source, `data/valid_${name}`, range),
        age: Array.from(await readRows(source, `data/age_${name}`, range), Number),
        ...(value &&
          !isPicture(value) && { values: await storedValues(late(name), value.metadata.shape.slice(1)) }),
      });
    }
    const tickTimes = Array.from(await readRows(source, 'data/tick_time', range), BigInt);
    for (const { row, text } of frameFaults({ tickTimes, features })) {
      faults.push(`episode ${i}, row ${range.from + row}: ${text}.`);
    }
  }
  return faults;
}

function isPicture({ metadata: { dtype, shape } }: StoredArray): boolean {
  return dtype === '|u1' && shape.length === 4 && shape[3] === 3;
}
