import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { readImageHeader } from '../../schemas/image-codec.ts';
import type { NpyArray } from '../npz.ts';
import { INSTRUCTIONS, LOWDIM, METADATA, type SampleMetadata, SHARDS, STATS_FILE } from './layout.ts';
import { numbersOf, type ReadSample, readLines, readSample, readShard } from './read-vla-foundry.ts';

/**
 * Reads shards back and checks what vla_foundry relies on: shards and samples as its manifest counts them, a
 * picture, arrays and a description in every sample, arrays of one length, masks that part them at the anchor,
 * statistics of every feature.
 *
 * @returns one sentence per fault.
 */
export async function verifyVlaFoundry(directory: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const features = new Set<string>();
  try {
    for (const { shard, num_sequences } of await readLines(directory)) {
      let samples = 0;
      try {
        for await (const sample of readShard(directory, shard)) {
          samples++;
          for (const fault of await sampleFaults(sample, features)) faults.push(`${sample.place}: ${fault}`);
        }
      } catch (error) {
        faults.push(`${SHARDS}/${shard}.tar: cannot be read (${(error as Error).message}).`);
        continue;
      }
      if (samples !== num_sequences) {
        faults.push(`${SHARDS}/${shard}.tar: holds ${samples} samples, the manifest says ${num_sequences}.`);
      }
    }
    const stats: unknown = JSON.parse(await readFile(join(directory, SHARDS, STATS_FILE), 'utf8'));
    for (const key of Object.keys(stats ?? {})) {
      if (!features.has(key)) faults.push(`${SHARDS}/${STATS_FILE}: "${key}" is in no sample.`);
    }
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    faults.push(
      error instanceof DatasetError ? error.message : `${SHARDS}/${STATS_FILE}: ${(error as Error).message}`,
    );
  }
  return faults;
}

async function sampleFaults(sample: ReadSample, features: Set<string>): Promise<string[]> {
  const faults: string[] = [];
  const pictures = [...sample.members].filter(([name]) => name.endsWith('.jpg'));
  if (pictures.length === 0) faults.push('has no .jpg, without which the trainer drops it.');
  for (const name of [LOWDIM, METADATA, INSTRUCTIONS]) {
    if (!sample.members.has(name)) faults.push(`has no ${name}.`);
  }
  for (const [name, bytes] of pictures) {
    const format = await readImageHeader(bytes).then(
      (header) => header.format,
      (error: Error) => error.message,
    );
    if (format !== 'jpeg') faults.push(`${name} must be a jpeg, found ${format}.`);
  }
  if (faults.length > 0) return faults;
  try {
    const { metadata, arrays } = readSample(sample);
    for (const key of arrays.keys()) features.add(key);
    faults.push(...arrayFaults(metadata, arrays));
  } catch (error) {
    faults.push((error as Error).message);
  }
  return faults;
}

function* arrayFaults(
  { anchor_relative_idx, past_padding, future_padding }: SampleMetadata,
  arrays: ReadonlyMap<string, NpyArray>,
): Generator<string> {
  const steps = arrays.get('past_mask')?.shape[0] ?? 0;
  for (const [name, { shape }] of arrays) {
    if (shape[0] !== steps) yield `${name} has ${shape[0]} steps, past_mask has ${steps}.`;
  }
  if (anchor_relative_idx >= steps) yield `its anchor is step ${anchor_relative_idx} of ${steps}.`;
  const expected = {
    past_mask: (step: number) => step < anchor_relative_idx && step >= past_padding,
    future_mask: (step: number) => step >= anchor_relative_idx && step < steps - future_padding,
  };
  for (const [name, holds] of Object.entries(expected)) {
    const mask = arrays.get(name);
    const wrong =
      mask && Array.from(numbersOf(mask)).findIndex((flag, step) => Boolean(flag) !== holds(step));
    if (wrong === undefined) yield `has no ${name}.`;
    else if (wrong >= 0) yield `${name} is wrong at step ${wrong}.`;
  }
}
