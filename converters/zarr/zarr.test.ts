import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, contractSchema } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { fixtureContract, fixturePicture, fixtureTarget, writeEpisodes } from '../lerobot/lerobot.fixture.ts';
import { DIRECTORY_NAME, ZIP_NAME } from './layout.ts';
import { zarr, zarrZip } from './zarr.ts';
import { openArray, readChunk, readRows, ZarrArrayWriter } from './zarr-array.ts';
import { DirectorySink, openDirectory } from './zarr-store.ts';
import { openZip, ZipSink } from './zip-store.ts';

let root: string;
/** A sound dataset that no test changes. */
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'zarr-'));
  sound = await mkdtemp(join(root, 'sound-'));
  await writeEpisodes(zarr, fixtureTarget(sound), [5, 3]);
});
afterAll(() => rm(root, { recursive: true }));

describe('ZarrArrayWriter', () => {
  it('divides rows into chunks, the last one as large as the others', async () => {
    const directory = join(root, 'array');
    const options = { path: 'data/x', dtype: 'int64', rowShape: [2], rowsPerChunk: 3 } as const;
    const writer = new ZarrArrayWriter(new DirectorySink(directory), options);
    await writer.append(BigInt64Array.from(Array(10).keys(), BigInt)); // five rows
    await writer.append(BigInt64Array.of(10n, 11n));
    await writer.append(BigInt64Array.of(12n, 13n));
    await writer.close();
    const source = await openDirectory(directory);
    expect([...source.keys].sort()).toEqual(['data/x/.zarray', 'data/x/0.0', 'data/x/1.0', 'data/x/2.0']);
    expect(JSON.parse(await readFile(join(directory, 'data/x/.zarray'), 'utf8'))).toEqual({
      zarr_format: 2,
      shape: [7, 2],
      chunks: [3, 2],
      dtype: '<i8',
      order: 'C',
      fill_value: 0,
      compressor: { id: 'zstd', level: 3 },
      filters: null,
    });
    const last = await readChunk(source, 'data/x/2.0', await openArray(source, 'data/x'));
    expect([...new BigInt64Array(Uint8Array.from(last).buffer)]).toEqual([12n, 13n, 0n, 0n, 0n, 0n]);
    expect([...(await readRows(source, 'data/x', { from: 2, to: 5 }))]).toEqual([4n, 5n, 6n, 7n, 8n, 9n]);
    expect(await readRows(source, 'data/x')).toHaveLength(14);
  });
});

describe('ZipSink', () => {
  it('writes entries that can be read back, more of them than a plain zip counts', async () => {
    const file = join(root, 'many.zip');
    const sink = await ZipSink.create(file);
    for (let i = 0; i < 65_600; i += 100) {
      const some = Array.from({ length: 100 }, (_, k) => i + k);
      await Promise.all(some.map((n) => sink.set(`a/${n}`, Buffer.from(String(n)))));
    }
    await sink.close();
    const source = await openZip(file);
    expect(source.keys.size).toBe(65_600);
    for (const i of [0, 65_535, 65_599]) expect(String(await source.get(`a/${i}`))).toBe(String(i));
    await source.close();
  });

  it('openZip() refuses an archive that was cut off, and an entry that changed', async () => {
    const file = join(root, 'small.zip');
    const sink = await ZipSink.create(file);
    await sink.set('x', Buffer.from('hello'));
    await sink.close();
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -1));
    await expect(openZip(file)).rejects.toThrow(/it is no whole zip archive/);
    bytes[31]! ^= 1; // behind a header of 30 bytes and a name of one
    await writeFile(file, bytes);
    const source = await openZip(file);
    await expect(source.get('x')).rejects.toThrow(/entry "x" does not match its checksum/);
    await source.close();
  });
});

describe('zarr', () => {
  it('lays episodes one after the other, a chunk for each picture', async () => {
    const source = await openDirectory(join(sound, DIRECTORY_NAME));
    expect(await readRows(source, 'meta/episode_ends')).toEqual(BigInt64Array.of(5n, 8n));
    expect(await readRows(source, 'data/mode')).toEqual(
      BigInt64Array.from([0, 10, 0, 30, 40, 1000, 1010, 0], BigInt),
    );
    expect((await readRows(source, 'data/state')).subarray(18)).toEqual(
      Float32Array.of(1010, 1011, 1012, Number.NaN, Number.NaN, Number.NaN),
    );
    expect([...(await readRows(source, 'data/valid_state'))]).toEqual([1, 1, 0, 1, 1, 1, 1, 0]);
    expect(await readRows(source, 'data/top', { from: 6, to: 7 })).toEqual(fixturePicture(96, 64, 101));
    const { metadata } = await openArray(source, 'data/tactile');
    expect(metadata).toMatchObject({ shape: [8, 2, 3], dtype: '<f8' });
  });

  it('says in .zattrs where it all comes from', async () => {
    const attributes = JSON.parse(await readFile(join(sound, DIRECTORY_NAME, '.zattrs'), 'utf8'));
    expect(attributes).toMatchObject({
      contract: { name: 'fixture' },
      tickRateHz: 30,
      features: { 'data/state': { key: 'observation.state', names: ['a', 'b', 'c'] } },
      episodes: [
        { id: 'episode-0', task: 'pick the block' },
        { id: 'episode-1', recording: `sha256:${'1'.repeat(64)}` },
      ],
    });
  });

  it('the archive holds what the folder holds', async () => {
    const directory = await mkdtemp(join(root, 'zip-'));
    await writeEpisodes(zarrZip, fixtureTarget(directory), [5, 3]);
    const [archive, folder] = [
      await openZip(join(directory, ZIP_NAME)),
      await openDirectory(join(sound, DIRECTORY_NAME)),
    ];
    expect([...archive.keys].sort()).toEqual([...folder.keys].sort());
    for (const key of folder.keys) {
      expect(Buffer.compare(await archive.get(key), await folder.get(key))).toBe(0);
    }
    await archive.close();
  });

  const state = fixtureContract.features['observation.state']!;
  const REFUSED: readonly [string, Contract['features'], RegExp][] = [
    ['no action', { 'observation.state': state }, /no vector feature "action"/],
    [
      'a feature named like a mask',
      { action: state, valid_action: state },
      /two arrays would be named "valid_action"/,
    ],
    [
      'a feature named like the ticks',
      { action: state, tick_time: state },
      /two arrays would be named "tick_time"/,
    ],
  ];
  it.each(REFUSED)('refuses %s', async (_, features, message) => {
    const contract = contractSchema.parse({ ...fixtureContract, features });
    const opened = zarr.open(fixtureTarget(root, contract));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(ConvertError);
  });

  const inside = (directory: string, key: string) => join(directory, DIRECTORY_NAME, key);
  const edit =
    (key: string, change: (json: Record<string, unknown>) => object) => async (directory: string) => {
      const json = JSON.parse(await readFile(inside(directory, key), 'utf8'));
      await writeFile(inside(directory, key), JSON.stringify(change(json)));
    };
  const DAMAGES: readonly [string, (directory: string) => Promise<void>, RegExp][] = [
    [
      'a missing picture',
      (directory) => rm(inside(directory, 'data/top/3.0.0.0')),
      /top\/3.0.0.0: it is missing/,
    ],
    [
      'a picture that is cut off',
      async (directory) => {
        const file = inside(directory, 'data/top/3.0.0.0');
        await writeFile(file, (await readFile(file)).subarray(0, 100));
      },
      /data\/top\/3.0.0.0: /,
    ],
    [
      'a chunk of another array',
      (directory) => cp(inside(directory, 'data/mode/0.0'), inside(directory, 'data/action/0.0')),
      /data\/action\/0.0: it has 2000000 bytes, not 1000000/,
    ],
    [
      'an array of fewer rows',
      edit('data/action/.zarray', (json) => ({ ...json, shape: [7, 1] })),
      /data\/action: has 7 rows, the last episode ends at 8/,
    ],
    [
      'a picture that nobody counts',
      (directory) => cp(inside(directory, 'data/top/3.0.0.0'), inside(directory, 'data/top/8.0.0.0')),
      /data\/top\/8.0.0.0: is no part of an array/,
    ],
    [
      'chunks that divide a picture',
      edit('data/top/.zarray', (json) => ({ ...json, chunks: [1, 32, 96, 3] })),
      /data\/top\/.zarray: chunks .* divide shape .* along more than the first dimension/,
    ],
    ['a missing group', (directory) => rm(inside(directory, 'meta/.zgroup')), /meta\/.zgroup: is missing/],
    [
      'an episode that nobody names',
      edit('.zattrs', (json) => ({ ...json, episodes: [] })),
      /.zattrs: names 0 episodes, meta\/episode_ends has 2/,
    ],
    [
      'no episode_ends',
      (directory) => rm(inside(directory, 'meta/episode_ends'), { recursive: true }),
      /meta\/episode_ends/,
    ],
  ];
  it.each(DAMAGES)('verify() finds %s', async (name, plant, fault) => {
    const directory = join(root, name.replaceAll(' ', '-'));
    await cp(sound, directory, { recursive: true });
    await plant(directory);
    expect((await zarr.verify(directory)).join('\n')).toMatch(fault);
  });
});
