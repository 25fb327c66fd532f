import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { readImageHeader } from '../../schemas/image-codec.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import { frameFaults } from '../stored-frames.ts';
import { decodeExample, type ExampleValues } from './example.ts';
import { parseFeatures } from './features-json.ts';
import { FEATURES_FILE, INFO_FILE, type Leaf, leafSize, shardNames } from './layout.ts';
import { readTfRecords } from './tfrecord.ts';

const countText = z.string().regex(/^\d+$/).transform(Number).pipe(countNumber);
const infoSchema = z.object({
  name: z.string(),
  version: z.string(),
  fileFormat: z.literal('tfrecord'),
  splits: z
    .array(z.object({ name: z.string(), shardLengths: z.array(countText), numBytes: countText }))
    .min(1),
});

/**
 * Reads the records back and checks what TFDS relies on: shards and their lengths, checksums, every feature of
 * `features.json` in every Example with the elements of all steps; and what makes them an episode of ours.
 *
 * @returns one sentence per fault.
 */
export async function verifyRlds(directory: string): Promise<readonly string[]> {
  const faults: string[] = [];
  try {
    const folder = await datasetFolder(directory);
    const info = await readJson(join(directory, folder), INFO_FILE, (json) => infoSchema.parse(json));
    const leaves = await readJson(join(directory, folder), FEATURES_FILE, (json) => parseFeatures(json));
    if (folder !== `${info.name}/${info.version}`) {
      faults.push(`${INFO_FILE}: says ${info.name}/${info.version}, the folder is ${folder}.`);
    }
    const shards = info.splits.flatMap((split) => shardNames(info.name, split));
    const present = await readdir(join(directory, folder));
    for (const name of present.filter((each) => ![...shards, INFO_FILE, FEATURES_FILE].includes(each))) {
      faults.push(`${folder}/${name}: is no file of the dataset.`);
    }
    for (const split of info.splits) {
      let bytes = 0;
      for (const [i, shard] of shardNames(info.name, split).entries()) {
        const read = await verifyShard(join(directory, folder, shard), leaves);
        faults.push(...read.faults.map((fault) => `${folder}/${shard}${fault}`));
        bytes += read.bytes;
        const said = split.shardLengths[i];
        if (read.records !== said) {
          faults.push(`${folder}/${shard}: holds ${read.records} episodes, ${INFO_FILE} says ${said}.`);
        }
      }
      if (bytes !== split.numBytes) {
        faults.push(
          `${INFO_FILE}: numBytes of "${split.name}" is ${split.numBytes}, the records hold ${bytes}.`,
        );
      }
    }
  } catch (error) {
    // What cannot be read at all hides what would come after it.
    if (!(error instanceof DatasetError)) throw error;
    faults.push(error.message);
  }
  return faults;
}

/** Paths of all shards, in order. @throws {DatasetError} when `dataset_info.json` cannot be read. */
export async function shardFiles(directory: string): Promise<readonly string[]> {
  const folder = join(directory, await datasetFolder(directory));
  const info = await readJson(folder, INFO_FILE, (json) => infoSchema.parse(json));
  return info.splits.flatMap((split) => shardNames(info.name, split)).map((name) => join(folder, name));
}

/** `<name>/<version>` below the dataset. */
async function datasetFolder(directory: string): Promise<string> {
  const found = await readdir(directory, { recursive: true }).catch(() => []);
  const infos = found
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith(`/${INFO_FILE}`));
  if (infos.length !== 1) {
    throw new DatasetError(
      `${directory}: must hold one <name>/<version>/${INFO_FILE}, found ${infos.length}.`,
    );
  }
  return infos[0]!.slice(0, -INFO_FILE.length - 1);
}

async function readJson<T>(folder: string, name: string, parse: (json: unknown) => T): Promise<T> {
  try {
    return parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
  } catch (cause) {
    throw new DatasetError(`${name}: cannot be read (${(cause as Error).message}).`, { cause });
  }
}

interface ShardReport {
  /** Beginning with what follows the file's name. */
  readonly faults: readonly string[];
  readonly records: number;
  readonly bytes: number;
}

async function verifyShard(file: string, leaves: readonly Leaf[]): Promise<ShardReport> {
  const faults: string[] = [];
  let records = 0;
  let bytes = 0;
  try {
    for await (const record of readTfRecords(file)) {
      for (const fault of await exampleFaults(record, leaves)) faults.push(`, episode ${records}: ${fault}`);
      records++;
      bytes += record.byteLength;
    }
  } catch (error) {
    faults.push(`: ${(error as Error).message}`);
  }
  return { faults, records, bytes };
}

async function exampleFaults(record: Buffer, leaves: readonly Leaf[]): Promise<string[]> {
  let example: Map<string, ExampleValues<Buffer>>;
  try {
    example = decodeExample(record);
  } catch (error) {
    return [`is no Example: ${(error as Error).message}.`];
  }
  const faults: string[] = [];
  const steps = example.get('steps/tick_time')?.values.length ?? 0;
  for (const path of example.keys()) {
    if (!leaves.some((leaf) => leaf.path === path)) faults.push(`${path} is not in ${FEATURES_FILE}.`);
  }
  for (const { path, type } of leaves) {
    const feature = example.get(path);
    const kind = type.kind !== 'tensor' ? 'bytes' : type.dtype === 'float32' ? 'float' : 'int';
    const rows = path.startsWith('steps/') ? steps : 1;
    const count = rows * (type.kind === 'tensor' ? leafSize(type) : 1);
    const found = feature ? `${feature.values.length} of kind ${feature.kind}` : 'nothing';
    if (found !== `${count} of kind ${kind}`) {
      faults.push(`${path} must hold ${count} of kind ${kind}, found ${found}.`);
    } else if (type.kind === 'image' && feature?.kind === 'bytes') {
      const wanted = `jpeg ${type.width}×${type.height}`;
      for (const [step, picture] of feature.values.entries()) {
        const is = await headerText(picture);
        if (is !== wanted) faults.push(`${path} of step ${step} must be ${wanted}, found ${is}.`);
      }
    }
  }
  if (steps === 0) return [...faults, 'it has no step.'];
  return faults.length > 0 ? faults : stepFaults(example, steps);
}

function headerText(picture: Uint8Array): Promise<string> {
  return readImageHeader(picture).then(
    ({ format, width, height }) => `${format} ${width}×${height}`,
    (error: Error) => error.message,
  );
}

function stepFaults(example: ReadonlyMap<string, ExampleValues<Buffer>>, steps: number): string[] {
  const faults: string[] = [];
  const integers = (path: string) => {
    const feature = example.get(path);
    return feature?.kind === 'int' ? feature.values : new BigInt64Array();
  };
  const ends = { is_first: 0, is_last: steps - 1, is_terminal: steps - 1 };
  for (const [flag, step] of Object.entries(ends)) {
    const set = integers(`steps/${flag}`)
      .entries()
      .filter(([, value]) => value !== 0n);
    const at = [...set].map(([i]) => i).join(', ');
    if (at !== String(step))
      faults.push(`${flag} must be set at step ${step} alone, it is at ${at || 'none'}.`);
  }
  const values = new Map(
    [...example].map(([path, feature]) => [
      path.replace(/^steps\/(observation\/)?/, '').replaceAll('/', '_'),
      feature,
    ]),
  );
  const features = [...example.keys()].flatMap((path) => {
    if (!path.startsWith('steps/valid/')) return [];
    const name = path.slice('steps/valid/'.length);
    const age = example.get(`steps/age/${name}`);
    const value = values.get(name);
    return [
      {
        name,
        valid: integers(path),
        age: age?.kind === 'float' ? age.values : [],
        ...(value && value.kind !== 'bytes' && { values: value.values }),
      },
    ];
  });
  for (const { row, text } of frameFaults({ tickTimes: integers('steps/tick_time'), features })) {
    faults.push(`step ${row}: ${text}.`);
  }
  return faults;
}
