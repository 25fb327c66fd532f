import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleBytes } from '../../schemas/contract-audio.ts';
import { readImageHeader } from '../../schemas/image-codec.ts';
import { readWavHeader } from '../audio/wav.ts';
import { readManifest } from '../manifest.ts';
import { type DatasetIndex, INDEX_FILE, indexSchema, SAMPLE_MEMBER, sampleKey } from './layout.ts';
import type { SampleArray } from './sample-array.ts';
import { decodeSample, type SampleRecord } from './sample-codec.ts';
import { readTar, type TarMember } from './tar.ts';
import { WindowSounds } from './verify-sounds.ts';

/**
 * Reads all shards back and checks what WebDataset and a training job rely on: samples lie together under
 * keys of their own, every member is there and decodes, shapes are those of the index, frames ascend.
 *
 * @returns one sentence per fault.
 */
export async function verifyShards(directory: string): Promise<readonly string[]> {
  let index: DatasetIndex;
  try {
    index = indexSchema.parse(JSON.parse(await readFile(join(directory, INDEX_FILE), 'utf8')));
  } catch (error) {
    return [`${INDEX_FILE} cannot be read: ${(error as Error).message}`];
  }
  const faults: string[] = [];
  const order = new FrameOrder();
  const { manifest } = await readManifest(directory);
  await using sounds = manifest && new WindowSounds(directory, { manifest, index });
  let samples = 0;
  for (const shard of index.shards) {
    let found = 0;
    try {
      for await (const sample of samplesOf(join(directory, shard.path))) {
        found++;
        const { record, faults: inside } = await checkSample(sample, index);
        if (record) inside.push(...order.check(sample.key, record));
        // Of another length, it was named above.
        if (record && sounds && inside.length === 0)
          inside.push(...(await sounds.faults(record, sample.members)));
        faults.push(...inside.map((fault) => `${shard.path}, sample "${sample.key}": ${fault}`));
      }
    } catch (error) {
      faults.push(`${shard.path} cannot be read: ${(error as Error).message}`);
      continue;
    }
    if (found !== shard.samples) {
      faults.push(`${shard.path} holds ${found} samples, ${INDEX_FILE} says ${shard.samples}`);
    }
    samples += found;
  }
  if (samples !== index.samples) {
    faults.push(`the shards hold ${samples} samples, ${INDEX_FILE} says ${index.samples}`);
  }
  return faults;
}

export interface StoredSample {
  readonly key: string;
  /** By name without the key. */
  readonly members: readonly TarMember[];
}

/** Neighbouring members of one key, as WebDataset groups them. */
export async function* samplesOf(file: string): AsyncGenerator<StoredSample> {
  let key: string | undefined;
  let members: TarMember[] = [];
  for await (const { name, data } of readTar(file)) {
    const dot = name.indexOf('.');
    const nextKey = dot < 0 ? name : name.slice(0, dot);
    if (key !== undefined && nextKey !== key) {
      yield { key, members };
      members = [];
    }
    key = nextKey;
    members.push({ name: name.slice(nextKey.length + 1), data });
  }
  if (key !== undefined) yield { key, members };
}

async function checkSample(
  { members }: StoredSample,
  index: DatasetIndex,
): Promise<{ record: SampleRecord | undefined; faults: string[] }> {
  const { features, audio = [] } = index;
  const pictures = features.flatMap((feature) => feature.members ?? []);
  const expected = [...pictures, ...audio.map(({ member }) => member), SAMPLE_MEMBER];
  const names = members.map(({ name }) => name);
  if (names.join() !== expected.join()) {
    return {
      record: undefined,
      faults: [`its members are ${names.join(', ')} instead of ${expected.join(', ')}`],
    };
  }
  const faults: string[] = [];
  const byName = new Map(members.map(({ name, data }) => [name, data]));
  for (const { shape, members: pictures = [] } of index.features) {
    const [, height, width] = shape;
    for (const name of pictures) {
      const found = await readImageHeader(byName.get(name)!).then(
        (header) => `${header.format} ${header.width}×${header.height}`,
        (error: Error) => error.message,
      );
      if (found !== `jpeg ${width}×${height}`) {
        faults.push(`${name} must be jpeg ${width}×${height}, found ${found}`);
      }
    }
  }
  for (const sound of audio) faults.push(...soundFaults(byName.get(sound.member)!, sound));
  try {
    const record = decodeSample(byName.get(SAMPLE_MEMBER)!);
    return { record, faults: [...faults, ...checkArrays(record, index)] };
  } catch (error) {
    return {
      record: undefined,
      faults: [...faults, `${SAMPLE_MEMBER} is not a sample: ${(error as Error).message}`],
    };
  }
}

function soundFaults(
  wav: Uint8Array,
  { member, sampleRateHz, channels, format, samples }: NonNullable<DatasetIndex['audio']>[number],
): string[] {
  const expected = `${samples} samples of ${channels} × ${format} at ${sampleRateHz} Hz`;
  let found: string;
  try {
    const header = readWavHeader(wav);
    const count = (wav.byteLength - header.offset) / sampleBytes(header);
    found = `${count} samples of ${header.channels} × ${header.format} at ${header.sampleRateHz} Hz`;
  } catch (error) {
    found = (error as Error).message;
  }
  return found === expected ? [] : [`${member} must be ${expected}, found ${found}`];
}

function checkArrays(record: SampleRecord, index: DatasetIndex): string[] {
  const { observationSteps, horizon } = index;
  const expected = new Map<string, string>();
  for (const { key, role, kind, dtype, shape, slots } of index.features) {
    const steps = role === 'action' ? horizon : observationSteps;
    if (kind === 'vector') expected.set(`values ${key}`, `${dtype} [${shape}]`);
    expected.set(`age ${key}`, `float32 [${slots ? [steps, slots] : [steps]}]`);
    expected.set(`valid ${key}`, `bool [${steps}]`);
  }
  for (const [role, steps] of Object.entries({ observation: observationSteps, action: horizon })) {
    expected.set(`padded ${role}`, `bool [${steps}]`);
    expected.set(`time ${role}`, `int64 [${steps}]`);
  }
  const found = new Map<string, string>();
  for (const { key, kind, shape } of index.features) {
    if (kind !== 'text') continue;
    expected.set(`texts ${key}`, `${shape}`);
    found.set(`texts ${key}`, `${record.texts[key]?.length}`);
  }
  for (const group of ['values', 'age', 'valid', 'padded', 'time'] as const) {
    for (const [name, { dtype, shape }] of Object.entries<SampleArray>(record[group])) {
      found.set(`${group} ${name}`, `${dtype} [${shape}]`);
    }
  }
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((name) => expected.get(name) !== found.get(name))
    .map(
      (name) => `${name} must be ${expected.get(name) ?? 'absent'}, found ${found.get(name) ?? 'nothing'}`,
    );
}

/** Samples of an episode follow each other, by ascending frame. */
class FrameOrder {
  readonly #ended = new Set<string>();
  #episode: string | undefined;
  #frame = -1;

  check(key: string, { provenance: { episode, frame } }: SampleRecord): string[] {
    const faults: string[] = [];
    if (key !== sampleKey(episode, frame)) {
      faults.push(`its key does not name frame ${frame} of episode "${episode}"`);
    }
    if (episode !== this.#episode) {
      if (this.#ended.has(episode)) faults.push(`episode "${episode}" begins a second time`);
      if (this.#episode !== undefined) this.#ended.add(this.#episode);
      this.#episode = episode;
    } else if (frame <= this.#frame) {
      faults.push(`frame ${frame} comes after frame ${this.#frame}`);
    }
    this.#frame = frame;
    return faults;
  }
}
