import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { decodeRgb, encodeJpeg } from '../../schemas/image-codec.ts';
import type { DatasetTarget } from '../dataset-writer.ts';
import { testContract } from '../episode.fixture.ts';
import type { Frame, FrameValue } from '../frame.ts';
import { addFrames } from '../prepared/prepared.fixture.ts';
import { type DatasetIndex, INDEX_FILE } from './layout.ts';
import type { SampleArray } from './sample-array.ts';
import { decodeSample } from './sample-codec.ts';
import { readTar, type TarMember, TarWriter } from './tar.ts';
import { webdataset, webdatasetWith } from './webdataset.ts';

const contract = testContract(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/Image }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], names: [a, b], unit: rad, toleranceSecs: 1 }
  observation.grid: { kind: vector, stream: arm, field: effort, shape: [2, 2], dtype: float64, toleranceSecs: 1 }
  observation.count: { kind: vector, stream: arm, field: velocity, shape: [1], dtype: int64, toleranceSecs: 1 }
  observation.images.Front.left: { kind: image, stream: camera, width: 8, height: 16, toleranceSecs: 1 }
  action: { kind: vector, stream: arm, field: position, shape: [2], dtype: uint8, toleranceSecs: 1 }
samples: { tickRateHz: 10, observationSteps: 2, horizon: 3 }`);

const HEADER = { index: 0, id: 'run.7/b', digest: `sha256:${'1'.repeat(64)}`, task: 'pick' };
const FIRST_TICK = 1_700_000_000_123_456_789n;

function target(directory: string, part: Partial<Contract['samples']> = {}): DatasetTarget {
  return {
    directory,
    contract: { ...contract, samples: { ...contract.samples, ...part } },
    contractDigest: `sha256:${'2'.repeat(64)}`,
    version: '1.2.3',
    tasks: ['pick'],
  };
}

/** Frame i: state [i, -i], action [i, 2i], a picture of grey 20·i; frame 1 has no valid state. */
function frame(index: number): Frame {
  const values = new Map<string, FrameValue>();
  const elements: Record<string, number[]> = {
    'observation.state': index === 1 ? [Number.NaN, Number.NaN] : [index, -index],
    'observation.grid': [1.5, 2.5, 3.5, index],
    'observation.count': [2 ** 40 + index],
    action: [index, 2 * index],
  };
  for (const [key, feature] of Object.entries(contract.features)) {
    const valid = key !== 'observation.state' || index !== 1;
    const timing = { valid, ageNanos: valid ? BigInt(index) * 1_000_000n : undefined };
    if (feature.kind === 'vector') {
      values.set(key, { kind: 'vector', feature, elements: Float64Array.from(elements[key]!), ...timing });
    } else if (feature.kind === 'image') {
      const pixels = new Uint8Array(8 * 16 * 3).fill(20 * index);
      values.set(key, { kind: 'image', feature, pixels, ...timing });
    }
  }
  return { index, tickTime: FIRST_TICK + BigInt(index) * 100_000_000n, values };
}

async function writeDataset(
  dataset: DatasetTarget,
  { format = webdataset, frames = [5], headers = [HEADER] } = {},
): Promise<number> {
  const writer = await format.open(dataset);
  for (const [i, count] of frames.entries()) {
    await addFrames(writer, {
      contract: dataset.contract,
      format,
      header: { ...headers[i]!, index: i },
      frames: Array.from({ length: count }, (_, k) => frame(k)),
    });
  }
  return writer.finish();
}

async function membersOf(file: string): Promise<TarMember[]> {
  const members: TarMember[] = [];
  for await (const member of readTar(file)) members.push(member);
  return members;
}

async function readIndex(directory: string): Promise<DatasetIndex> {
  return JSON.parse(await readFile(join(directory, INDEX_FILE), 'utf8')) as DatasetIndex;
}

function numbers({ dtype, data }: SampleArray): (number | bigint)[] {
  const { buffer } = Uint8Array.from(data); // on its own, so that wide elements are aligned
  const make = {
    float32: Float32Array,
    float64: Float64Array,
    int64: BigInt64Array,
    int16: Int16Array,
    uint16: Uint16Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
  return [...new make[dtype](buffer)];
}

test('webdataset writes pictures, numbers, ages, masks and provenance of every window', async () => {
  await using folder = await temporaryFolder();
  expect(await writeDataset(target(folder.path))).toBe(5);
  const members = await membersOf(join(folder.path, 'shard-000000.tar'));
  expect(members.slice(0, 4).map(({ name }) => name)).toEqual([
    'run-7-b_000000.front.left.t-1.jpg',
    'run-7-b_000000.front.left.t0.jpg',
    'run-7-b_000000.sample.mp',
    'run-7-b_000001.front.left.t-1.jpg',
  ]);
  expect(members).toHaveLength(15);

  const record = decodeSample(members[3 * 2 + 2]!.data); // anchor 2: sees 1 and 2, acts in 2, 3, 4
  const arrays = (group: Record<string, SampleArray>) =>
    Object.fromEntries(
      Object.entries(group).map(([key, array]) => [key, [array.dtype, array.shape, numbers(array)]]),
    );
  expect(arrays(record.values)).toEqual({
    'observation.state': ['float32', [2, 2], [Number.NaN, Number.NaN, 2, -2]],
    'observation.grid': ['float64', [2, 2, 2], [1.5, 2.5, 3.5, 1, 1.5, 2.5, 3.5, 2]],
    'observation.count': ['int64', [2, 1], [2n ** 40n + 1n, 2n ** 40n + 2n]],
    action: ['uint8', [3, 2], [2, 4, 3, 6, 4, 8]],
  });
  const observed = ['float32', [2], [Math.fround(0.001), Math.fround(0.002)]];
  expect(arrays(record.age)).toEqual({
    'observation.state': ['float32', [2], [Number.NaN, Math.fround(0.002)]],
    'observation.grid': observed,
    'observation.count': observed,
    'observation.images.Front.left': observed,
    action: ['float32', [3], [0.002, 0.003, 0.004].map(Math.fround)],
  });
  expect(arrays(record.valid)).toMatchObject({
    'observation.state': ['bool', [2], [0, 1]],
    'observation.images.Front.left': ['bool', [2], [1, 1]],
    action: ['bool', [3], [1, 1, 1]],
  });
  const tick = (i: number) => FIRST_TICK + BigInt(i) * 100_000_000n;
  expect(arrays(record.time)).toEqual({
    observation: ['int64', [2], [tick(1), tick(2)]],
    action: ['int64', [3], [tick(2), tick(3), tick(4)]],
  });
  expect(arrays(record.padded)).toEqual({
    observation: ['bool', [2], [0, 0]],
    action: ['bool', [3], [0, 0, 0]],
  });
  expect(record.task).toBe('pick');
  expect(record.provenance).toEqual({
    episode: 'run.7/b',
    digest: HEADER.digest,
    frame: 2,
    contract: `sha256:${'2'.repeat(64)}`,
    version: '1.2.3',
  });

  const last = decodeSample(members[3 * 4 + 2]!.data);
  expect(numbers(last.padded.action)).toEqual([0, 1, 1]);
  expect(numbers(last.values.action!)).toEqual([4, 8, 4, 8, 4, 8]);
  const grey = async (member: TarMember) => {
    const { pixels, width, height } = await decodeRgb(member.data);
    return [width, height, pixels[0]];
  };
  expect(await grey(members[3 * 3]!)).toEqual([8, 16, 40]); // anchor 3, one frame before
  expect(await grey(members[3 * 3 + 1]!)).toEqual([8, 16, 60]);
  expect(await webdataset.verify(folder.path)).toEqual([]);
});

test('webdataset describes itself in dataset.json', async () => {
  await using folder = await temporaryFolder();
  await writeDataset(target(folder.path));
  const index = await readIndex(folder.path);
  const { size } = await stat(join(folder.path, 'shard-000000.tar'));
  expect(index).toMatchObject({
    name: 'test',
    tickRateHz: 10,
    observationSteps: 2,
    horizon: 3,
    stride: 1,
    padding: 'repeat',
    tasks: ['pick'],
    samples: 5,
    shards: [{ path: 'shard-000000.tar', samples: 5, bytes: size }],
  });
  expect(index.features).toContainEqual({
    key: 'observation.state',
    role: 'observation',
    kind: 'vector',
    dtype: 'float32',
    shape: [2, 2],
    names: ['a', 'b'],
    unit: 'rad',
  });
  expect(index.features).toContainEqual({
    key: 'observation.images.Front.left',
    role: 'observation',
    kind: 'image',
    dtype: 'uint8',
    shape: [2, 16, 8, 3],
    members: ['front.left.t-1.jpg', 'front.left.t0.jpg'],
  });
});

test.each([
  [{ maxSamples: 2 }, [2, 2, 1]],
  [{ maxSamples: 5 }, [5]],
  [{ maxBytes: 1 }, [1, 1, 1, 1, 1]],
  [{ maxBytes: 12_000 }, [3, 2]],
])('webdataset begins a new shard at %o', async (limits, samples) => {
  await using folder = await temporaryFolder();
  await writeDataset(target(folder.path), { format: webdatasetWith(limits) });
  const { shards } = await readIndex(folder.path);
  expect(shards.map((shard) => shard.samples)).toEqual(samples);
  for (const { path, bytes } of shards) {
    expect((await readFile(join(folder.path, path))).byteLength).toBe(bytes);
  }
  expect(await webdataset.verify(folder.path)).toEqual([]);
});

test('webdataset writes only what strides and padding ask for', async () => {
  await using folder = await temporaryFolder();
  const sampling = { stride: 3, padding: 'drop' as const };
  expect(await writeDataset(target(folder.path, sampling), { frames: [9] })).toBe(2);
  const members = await membersOf(join(folder.path, 'shard-000000.tar'));
  const keys = new Set(members.map(({ name }) => name.split('.')[0]));
  expect([...keys]).toEqual(['run-7-b_000003', 'run-7-b_000006']);
  expect(await webdataset.verify(folder.path)).toEqual([]);
});

test('webdataset writes clips whose actions begin with their first frame', async () => {
  await using folder = await temporaryFolder();
  const clips = {
    observationSteps: 3,
    horizon: 3,
    stride: 3,
    padding: 'drop',
    actionsFrom: 'first',
  } as const;
  expect(await writeDataset(target(folder.path, clips), { frames: [8] })).toBe(2);
  expect(await readIndex(folder.path)).toMatchObject({ actionsFrom: 'first' });
  const [clip] = (await membersOf(join(folder.path, 'shard-000000.tar'))).filter(({ name }) =>
    name.endsWith('.mp'),
  );
  const { time } = decodeSample(clip!.data);
  expect(time.action.data).toEqual(time.observation.data);
  expect(await webdataset.verify(folder.path)).toEqual([]);
});

test('webdataset writes no shard for no episode', async () => {
  await using folder = await temporaryFolder();
  expect(await writeDataset(target(folder.path), { frames: [] })).toBe(0);
  expect((await readIndex(folder.path)).shards).toEqual([]);
  expect(await webdataset.verify(folder.path)).toEqual([]);
});

test('webdataset refuses names that its keys cannot tell apart', async () => {
  await using folder = await temporaryFolder();
  const headers = [HEADER, { ...HEADER, id: 'run-7.b' }];
  const episodes = writeDataset(target(folder.path), { frames: [1, 1], headers });
  await expect(episodes).rejects.toThrow(/"run-7.b".*same keys as those of "run.7\/b"/);
  const image = contract.features['observation.images.Front.left']!;
  for (const [key, message] of [
    ['observation.images.front.LEFT', /both would be named "front.left"/],
    ['action.picture', /pictures are observations/],
  ] as const) {
    const features = { ...contract.features, [key]: image };
    const opened = webdataset.open({ ...target(folder.path), contract: { ...contract, features } });
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(ConvertError);
  }
});

/** Writes a sound dataset, changes the members of its shard, and verifies. */
async function verifyChanged(change: (members: TarMember[]) => TarMember[] | Promise<TarMember[]>) {
  await using folder = await temporaryFolder();
  await writeDataset(target(folder.path));
  const file = join(folder.path, 'shard-000000.tar');
  const members = await change(await membersOf(file));
  await rm(file);
  const tar = new TarWriter(file);
  for (const member of members) await tar.add(member);
  await tar.close();
  return await webdataset.verify(folder.path);
}

const swap = (members: TarMember[], a: number, b: number) => {
  [members[a], members[b]] = [members[b]!, members[a]!];
  return members;
};

test.each<[string, (members: TarMember[]) => TarMember[] | Promise<TarMember[]>, RegExp]>([
  [
    'a missing picture',
    (members) => members.toSpliced(1, 1),
    /"run-7-b_000000": its members are front.left.t-1.jpg, sample.mp instead of/,
  ],
  [
    'a sample torn apart',
    (members) => swap(members, 0, 5),
    /"run-7-b_000001": its members are sample.mp instead of/,
  ],
  ['a missing sample', (members) => members.slice(3), /holds 4 samples, dataset.json says 5/],
  [
    'samples out of order',
    (members) => [...members.slice(3, 6), ...members.slice(0, 3), ...members.slice(6)],
    /frame 0 comes after frame 1/,
  ],
  [
    'a key that is another frame’s',
    (members) => members.map((m) => ({ ...m, name: m.name.replace('_000004', '_000009') })),
    /"run-7-b_000009": its key does not name frame 4/,
  ],
  [
    'a picture cut short',
    (members) => members.with(0, { ...members[0]!, data: members[0]!.data.slice(0, 20) }),
    /front.left.t-1.jpg must be jpeg 8×16, found /,
  ],
  [
    'a picture of another size',
    async (members) =>
      members.with(0, {
        ...members[0]!,
        data: await encodeJpeg({ pixels: new Uint8Array(12), width: 2, height: 2 }),
      }),
    /front.left.t-1.jpg must be jpeg 8×16, found jpeg 2×2/,
  ],
  [
    'numbers cut short',
    (members) => members.with(2, { ...members[2]!, data: members[2]!.data.slice(0, 100) }),
    /"run-7-b_000000": sample.mp is not a sample/,
  ],
])('webdataset.verify() finds %s', async (_, change, fault) => {
  expect((await verifyChanged(change)).join('\n')).toMatch(fault);
});

test('webdataset.verify() finds arrays of another shape than dataset.json says', async () => {
  await using folder = await temporaryFolder();
  await writeDataset(target(folder.path));
  const index = await readIndex(folder.path);
  const features = index.features.map((each) => (each.key === 'action' ? { ...each, shape: [3, 7] } : each));
  await writeFile(join(folder.path, INDEX_FILE), JSON.stringify({ ...index, features }));
  const faults = await webdataset.verify(folder.path);
  expect(faults).toHaveLength(5);
  expect(faults[0]).toBe(
    'shard-000000.tar, sample "run-7-b_000000": values action must be uint8 [3,7], found uint8 [3,2]',
  );
});

test('webdataset.verify() reports shards and an index that cannot be read', async () => {
  await using folder = await temporaryFolder();
  expect((await webdataset.verify(folder.path))[0]).toMatch(/^dataset.json cannot be read: ENOENT/);
  await writeDataset(target(folder.path));
  const file = join(folder.path, 'shard-000000.tar');
  await writeFile(file, (await readFile(file)).subarray(0, 1700));
  expect((await webdataset.verify(folder.path)).join('\n')).toMatch(/shard-000000.tar cannot be read/);
});
