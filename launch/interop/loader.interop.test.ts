import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { convertEpisodes } from '../../converters/convert.ts';
import { webdatasetWith } from '../../converters/webdataset/webdataset.ts';
import { parseContract } from '../../schemas/contract-file.ts';
import { z } from '../../schemas/validation.ts';
import { needs, readWith } from './python.ts';

const reportSchema = z.object({
  stored: z.int(),
  samples: z.int(),
  episodes: z.array(z.string()),
  once: z.boolean(),
  shuffled: z.boolean(),
  decoder: z.string(),
  mismatches: z.array(z.string()),
});

const read = async (dataset: string, { workers, steps, split }: Reading) => {
  const args = [dataset, `${workers}`, `${steps}`, ...(split ? [split] : [])];
  const { mismatches, once, shuffled, ...report } = reportSchema.parse(
    await readWith('read_batches.py', args),
  );
  expect({ mismatches, once, shuffled }).toEqual({ mismatches: [], once: true, shuffled: true });
  return report;
};

interface Reading {
  readonly workers: number;
  readonly steps: number;
  readonly split?: 'train' | 'val';
}

describe('webdataset_loader.py', () => {
  let directory: string;
  let sharded: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kinescribe-loader-'));
    const file = join(import.meta.dirname, '../contracts/demo-arm.yaml');
    const split = 'split: { by: episode, shares: { train: 0.5, val: 0.5 } }';
    await convertEpisodes(inject('example').episodes, {
      contract: parseContract(`${await readFile(file, 'utf8')}\n${split}\n`, file),
      formats: [webdatasetWith({ maxSamples: 24 })],
      directory,
      version: 'interop',
    });
    sharded = join(directory, 'webdataset');
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  beforeEach((context) => {
    needs('readers', context);
    needs('lerobot', context);
  });

  // Of one shard two workers take turns at the samples, of several each takes its own shards.
  it.each([
    { shards: 'one shard', workers: 0, steps: 1 },
    { shards: 'one shard', workers: 2, steps: 2 },
    { shards: 'several shards', workers: 2, steps: 2 },
  ])(
    'gives every sample of $shards once an epoch to $workers workers, as Pillow decodes it',
    async ({ shards, ...reading }) => {
      const { decoder, ...report } = await read(
        shards === 'one shard' ? inject('example').webdataset : sharded,
        reading,
      );
      console.log(`interop: ${report.samples} samples in batches, decoded by ${decoder}`);
      expect(report.samples).toBe(report.stored);
      expect(report.episodes).toHaveLength(2);
    },
  );

  it('gives the episodes of a split alone', async () => {
    const [train, val] = [
      await read(sharded, { workers: 2, steps: 1, split: 'train' }),
      await read(sharded, { workers: 0, steps: 1, split: 'val' }),
    ];
    expect([...train.episodes, ...val.episodes].sort()).toEqual(['demo-arm-0001', 'demo-arm-0002']);
    expect(train.samples + val.samples).toBe(train.stored);
  });
});
