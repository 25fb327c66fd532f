import { beforeEach, describe, expect, inject, it } from 'vitest';
import { z } from '../../schemas/validation.ts';
import { needs, pythonRunner } from './python.ts';

const lossSchema = z.object({ firstLoss: z.number(), lastLoss: z.number() });

/** Trains by the published example and gives the mean loss of its first and of its last steps. */
async function train(format: 'lerobot' | 'webdataset', directory: string) {
  const run = pythonRunner(inject('python'), ['cpu_torchvision']);
  const output = await run('../examples/behaviour_cloning.py', [format, directory, '--steps', '60']);
  const losses = lossSchema.parse(JSON.parse(output.trim().split('\n').at(-1)!));
  console.log(`interop: behaviour cloning from ${format}`, losses);
  return losses;
}

describe('behaviour_cloning.py', () => {
  beforeEach((context) => needs('lerobot', context));

  it('learns from the WebDataset shards', async (context) => {
    needs('readers', context);
    const { firstLoss, lastLoss } = await train('webdataset', inject('example').webdataset);
    expect(lastLoss).toBeLessThan(firstLoss / 2);
  });

  it('learns from the LeRobot dataset', async () => {
    const { firstLoss, lastLoss } = await train('lerobot', inject('example').lerobot);
    expect(lastLoss).toBeLessThan(firstLoss / 2);
  });
});
