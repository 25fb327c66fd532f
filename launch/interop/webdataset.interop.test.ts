import { join } from 'node:path';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { z } from '../../schemas/validation.ts';
import type { Example } from './example.ts';
import { needs, readWith } from './python.ts';

const reportSchema = z.object({
  version: z.string(),
  frames: z.int(),
  samples: z.int(),
  mismatches: z.array(z.string()),
  keys: z.int(),
});

async function read({ webdataset, source }: Example) {
  const report = reportSchema.parse(await readWith('read_webdataset.py', [webdataset, source]));
  console.log(`interop: ${report.samples} samples read with webdataset ${report.version}`);
  return report;
}

describe('webdataset', () => {
  beforeEach((context) => needs('readers', context));

  it('reads every sample of the simulated robot: windows, masks, times and pictures', async () => {
    const { samples, frames, keys, mismatches } = await read(inject('example'));
    expect(mismatches).toEqual([]);
    expect(samples).toBe(frames);
    expect(keys).toBe(samples);
  });

  it('reads every sample of a real recording', async ({ skip }) => {
    const gait = inject('gait');
    skip(!gait, 'the recording is not beside the clone');
    const { samples, frames, mismatches } = await read(gait!);
    expect(mismatches).toEqual([]);
    expect(samples).toBe(frames);
  });
});

const foundrySchema = reportSchema.omit({ keys: true }).extend({ said: z.int() });

describe('vla_foundry', () => {
  it("reads every sample by its loader's own steps", async (context) => {
    needs('readers', context);
    const { datasets, source } = inject('example');
    const report = await readWith('read_vla_foundry.py', [join(datasets, 'vla-foundry'), source]);
    const { samples, said, frames, mismatches, version } = foundrySchema.parse(report);
    console.log(`interop: ${samples} samples of vla_foundry's profile read with webdataset ${version}`);
    expect(mismatches).toEqual([]);
    expect([samples, said]).toEqual([frames, frames]);
  });
});
