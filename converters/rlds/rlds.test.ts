import { appendFile, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, contractSchema } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { decodeRgb } from '../../schemas/image-codec.ts';
import {
  fixtureContract,
  fixtureFrames,
  fixtureTarget,
  writeEpisodes,
  writeFrames,
} from '../lerobot/lerobot.fixture.ts';
import { decodeExample, type ExampleValues, encodeExample } from './example.ts';
import { featuresJson, parseFeatures } from './features-json.ts';
import { rldsLayout } from './layout.ts';
import { rlds, rldsWith } from './rlds.ts';
import { readTfRecords, TfRecordWriter } from './tfrecord.ts';

const FOLDER = 'fixture/1.0.0';
const SHARD = `${FOLDER}/fixture-train.tfrecord-00000-of-00001`;

let root: string;
/** A sound dataset that no test changes. */
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rlds-'));
  sound = await mkdtemp(join(root, 'sound-'));
  await writeEpisodes(rlds, fixtureTarget(sound), [5, 3]);
});
afterAll(() => rm(root, { recursive: true }));

async function recordsOf(file: string): Promise<Buffer[]> {
  const records: Buffer[] = [];
  for await (const record of readTfRecords(file)) records.push(record);
  return records;
}

describe('TfRecordWriter', () => {
  it('writes the bytes that TensorFlow writes', async () => {
    const file = join(root, 'hello.tfrecord');
    const writer = await TfRecordWriter.create(file);
    expect(await writer.write([Buffer.from('hel'), Buffer.from('lo')])).toBe(5);
    await writer.close();
    // tf.io.TFRecordWriter(...).write(b"hello"), TensorFlow 2.21.0
    expect((await readFile(file)).toString('hex')).toBe('0500000000000000eab2043e68656c6c6fbb1f1c19');
  });

  it('takes records of more parts than the kernel does at once', async () => {
    const file = join(root, 'parts.tfrecord');
    const writer = await TfRecordWriter.create(file);
    await writer.write(Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 255)));
    await writer.close();
    const [record] = await recordsOf(file);
    expect(record).toEqual(Buffer.from(Array.from({ length: 3000 }, (_, i) => i & 255)));
  });
});

describe('encodeExample()', () => {
  it('writes the bytes that tf.train.Example has', () => {
    const features = new Map<string, ExampleValues<Buffer>>([
      ['a', { kind: 'int', values: BigInt64Array.of(1n, -1n, 300n) }],
      ['b', { kind: 'float', values: Float32Array.of(1.5) }],
      ['c', { kind: 'bytes', values: [Buffer.from('x'), Buffer.from('yz')] }],
    ]);
    const bytes = bytesOf(features);
    // tf.train.Example(...).SerializeToString(deterministic=True), TensorFlow 2.21.0
    expect(bytes.toString('hex')).toBe(
      '0a370a160a016112111a0f0a0d01ffffffffffffffffff01ac020a0d0a0162120812060a040000c03f0a0e0a016312090a070a01780a02797a',
    );
    expect(decodeExample(bytes)).toEqual(features);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['of another wire type', (bytes: Buffer) => Buffer.concat([Buffer.of(0x08), bytes])],
  ])('decodeExample() refuses bytes that are %s', (_, change) => {
    const bytes = bytesOf(new Map([['a', { kind: 'float', values: Float32Array.of(1) }]]));
    expect(() => decodeExample(change(bytes))).toThrow(RangeError);
  });
});

describe('rlds', () => {
  it('holds an episode in one record, all steps of a feature one after the other', async () => {
    const [, record] = await recordsOf(join(sound, SHARD));
    const second = decodeExample(record!);
    const values = (path: string) => second.get(path)?.values;
    expect(values('steps/observation/state')).toEqual(
      Float32Array.of(1000, 1001, 1002, 1010, 1011, 1012, Number.NaN, Number.NaN, Number.NaN),
    );
    expect(values('steps/action')).toEqual(Float32Array.of(1000, 1010, Number.NaN));
    expect(values('steps/observation/mode')).toEqual(BigInt64Array.of(1000n, 1010n, 0n));
    expect(values('steps/observation/contact')).toEqual(BigInt64Array.of(0n, 1n, 1n, 0n, 0n, 0n));
    expect(values('steps/valid/state')).toEqual(BigInt64Array.of(1n, 1n, 0n));
    expect(values('steps/is_first')).toEqual(BigInt64Array.of(1n, 0n, 0n));
    expect(values('steps/is_last')).toEqual(BigInt64Array.of(0n, 0n, 1n));
    expect((values('steps/language_instruction') as Buffer[]).map(String)).toEqual(
      Array(3).fill('place the block'),
    );
    expect(String((values('episode_metadata/episode_id') as Buffer[])[0])).toBe('episode-1');
    const { width, height } = await decodeRgb((values('steps/observation/top') as Buffer[])[1]!);
    expect([width, height]).toEqual([96, 64]);
  });

  it('begins a new shard where one is full, and names how many there are', async () => {
    const directory = await mkdtemp(join(root, 'shards-'));
    await writeEpisodes(rldsWith({ maxShardBytes: 1 }), fixtureTarget(directory), [3, 2, 3]);
    expect((await readdir(join(directory, FOLDER))).sort()).toEqual([
      'dataset_info.json',
      'features.json',
      ...[0, 1, 2].map((i) => `fixture-train.tfrecord-0000${i}-of-00003`),
    ]);
    const info = JSON.parse(await readFile(join(directory, FOLDER, 'dataset_info.json'), 'utf8'));
    expect(info.splits[0].shardLengths).toEqual(['1', '1', '1']);
    expect(await rlds.verify(directory)).toEqual([]);
  });

  it('gives each split shards of its own', async () => {
    const directory = await mkdtemp(join(root, 'splits-'));
    const frames = [0, 1, 2].map((episode) => fixtureFrames(episode, 3));
    await writeFrames(rlds, fixtureTarget(directory), frames, ['train', 'train', 'val']);
    const info = JSON.parse(await readFile(join(directory, FOLDER, 'dataset_info.json'), 'utf8'));
    const splits = info.splits.map((split: Record<string, unknown>) => [split.name, split.shardLengths]);
    expect(splits).toEqual([
      ['train', ['2']],
      ['val', ['1']],
    ]);
    const val = join(directory, FOLDER, 'fixture-val.tfrecord-00000-of-00001');
    expect(await recordsOf(val)).toHaveLength(1);
    expect(await rlds.verify(directory)).toEqual([]);
  });

  it('featuresJson() and parseFeatures() are inverse', () => {
    const { columns, pictures } = rldsLayout(fixtureContract);
    const leaves = [...columns, ...pictures].map(({ path, type }) => ({ path, type }));
    const found = parseFeatures(featuresJson(leaves));
    const byPath = (a: { path: string }, b: { path: string }) => a.path.localeCompare(b.path);
    expect(found.sort(byPath)).toEqual(leaves.sort(byPath));
  });

  it('makes the parts of an action a dictionary', () => {
    const { action, ...features } = fixtureContract.features;
    const contract = {
      ...fixtureContract,
      features: { ...features, 'action.arm.left': action!, 'action.grip': action! },
    };
    const paths = rldsLayout(contract).columns.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['steps/action/arm_left', 'steps/action/grip', 'steps/age/action_grip']),
    );
  });

  const state = fixtureContract.features['observation.state']!;
  const top = fixtureContract.features['observation.images.top']!;
  const REFUSED: readonly [string, Contract['features'], RegExp][] = [
    ['no action', { 'observation.state': state }, /no feature "action"/],
    ['a picture as an action', { 'action.view': top, 'action.grip': state }, /"action.view" is a picture/],
    [
      'two features of one name',
      { action: state, 'observation.x': state, x: state },
      /"x" would be named "x" like feature "observation.x"/,
    ],
  ];
  it('keeps the parts of an action beside the whole, as DROID does', async () => {
    const directory = await mkdtemp(join(root, 'parts-'));
    const features = { action: state, 'action.grip': state };
    const target = fixtureTarget(directory, contractSchema.parse({ ...fixtureContract, features }));
    const frames = fixtureFrames(0, 2).map((frame) => {
      const value = frame.values.get('observation.state')!;
      return { ...frame, values: new Map(Object.keys(features).map((key) => [key, value])) };
    });
    await writeFrames(rlds, target, [frames]);
    expect(await rlds.verify(directory)).toEqual([]);
    const [record] = await recordsOf(join(directory, SHARD));
    const example = decodeExample(record!);
    for (const path of ['steps/action', 'steps/action_dict/grip']) {
      expect(example.get(path)?.values).toEqual(Float32Array.of(0, 1, 2, 10, 11, 12));
    }
  });

  it.each(REFUSED)('refuses %s', async (_, features, message) => {
    const contract = contractSchema.parse({ ...fixtureContract, features });
    const opened = rlds.open(fixtureTarget(root, contract));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(ConvertError);
  });

  /** Rewrites the records of the shard. */
  const rewrite = (change: (records: Buffer[]) => Buffer[]) => async (directory: string) => {
    const records = await recordsOf(join(directory, SHARD));
    await rm(join(directory, SHARD));
    const writer = await TfRecordWriter.create(join(directory, SHARD));
    for (const record of change(records)) await writer.write([record]);
    await writer.close();
  };
  const edit = (change: (example: Map<string, ExampleValues<Buffer>>) => void) =>
    rewrite((records) =>
      records.map((record, i) => {
        const example = decodeExample(record);
        if (i === 1) change(example);
        return bytesOf(example);
      }),
    );
  const DAMAGES: readonly [string, (directory: string) => Promise<void>, RegExp][] = [
    [
      'a missing episode',
      rewrite((records) => records.slice(1)),
      /holds 1 episodes, dataset_info.json says 2/,
    ],
    [
      'a changed byte',
      async (directory) => {
        const bytes = await readFile(join(directory, SHARD));
        bytes[bytes.length >> 1]! ^= 1;
        await writeFile(join(directory, SHARD), bytes);
      },
      /record 0 does not match its checksum/,
    ],
    [
      'bytes behind the last record',
      (directory) => appendFile(join(directory, SHARD), 'x'),
      /record 2 is cut off/,
    ],
    [
      'a shard of another number',
      (directory) => rename(join(directory, SHARD), join(directory, SHARD.replace('00000-of', '00001-of'))),
      /00001-of-00001: is no file of the dataset/,
    ],
    [
      'a missing feature',
      edit((example) => example.delete('steps/action')),
      /episode 1: steps\/action must hold 3 of kind float, found nothing/,
    ],
    [
      'a feature of fewer steps',
      edit((example) => example.set('steps/action', { kind: 'float', values: Float32Array.of(1, 2) })),
      /steps\/action must hold 3 of kind float, found 2/,
    ],
    [
      'a feature that is not declared',
      edit((example) => example.set('steps/x', { kind: 'float', values: Float32Array.of(1, 2, 3) })),
      /steps\/x is not in features.json/,
    ],
    [
      'a wrong flag',
      edit((example) => example.set('steps/is_last', { kind: 'int', values: BigInt64Array.of(0n, 1n, 0n) })),
      /is_last must be set at step 2 alone, it is at 1/,
    ],
    [
      'a picture that is none',
      edit((example) => {
        const values = example.get('steps/observation/top')!.values as Buffer[];
        example.set('steps/observation/top', { kind: 'bytes', values: values.with(1, Buffer.from('x')) });
      }),
      /steps\/observation\/top of step 1 must be jpeg 96×64, found /,
    ],
    [
      'no description',
      (directory) => rm(join(directory, FOLDER, 'features.json')),
      /features.json: cannot be read/,
    ],
  ];
  it.each(DAMAGES)('verify() finds %s', async (name, plant, fault) => {
    const directory = join(root, name.replaceAll(' ', '-'));
    await cp(sound, directory, { recursive: true });
    await plant(directory);
    expect((await rlds.verify(directory)).join('\n')).toMatch(fault);
  });
});

/** An example whose bytes are all in memory. */
function bytesOf(features: ReadonlyMap<string, ExampleValues>): Buffer {
  return Buffer.concat(encodeExample(features).parts.filter((part) => part instanceof Uint8Array));
}

it('rldsLayout() puts the reward where RLDS has it, and nothing of the outcome among what is observed', () => {
  const outcome = (value: string) => ({ kind: 'outcome', value });
  const contract = contractSchema.parse({
    ...fixtureContract,
    features: {
      ...fixtureContract.features,
      'next.reward': outcome('reward'),
      'observation.success': outcome('success'),
      value: outcome('return'),
    },
  });
  const placed = rldsLayout(contract).columns.flatMap(({ path, type, column: { key, content } }) =>
    content === 'value' && type.kind === 'tensor' && contract.features[key]!.kind === 'outcome'
      ? [`${path} ${type.dtype} [${type.shape.join()}]`]
      : [],
  );
  expect(placed).toEqual(['steps/reward float32 []', 'steps/success bool []', 'steps/value float32 []']);
});
