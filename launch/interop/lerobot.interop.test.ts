import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { z } from '../../schemas/validation.ts';
import type { Example } from './example.ts';
import { needs, readWith } from './python.ts';

const shape = z.array(z.int());
const reportSchema = z.object({
  versions: z.record(z.string(), z.string()),
  fps: z.number(),
  episodes: z.int(),
  tasks: z.array(z.string()),
  policyFeatures: z.record(z.string(), z.tuple([z.string(), shape])),
  statistics: z.record(z.string(), z.record(z.string(), shape)),
  lastEpisode: shape,
  batch: z.record(z.string(), shape),
  /** By decoder. */
  read: z.record(
    z.string(),
    z.object({
      frames: z.int(),
      mismatches: z.array(z.string()),
      distance: z.record(z.string(), z.number()),
    }),
  ),
  windows: z.object({ windows: z.int(), mismatches: z.array(z.string()), distance: z.number() }),
});

/** Mean distance of a decoded picture from its source, of 255, that AV1 with a crf of 30 may cost. */
const CODEC_DISTANCE = 4;

async function read({ lerobot, source }: Example) {
  const report = reportSchema.parse(await readWith('read_lerobot.py', [lerobot, source]));
  console.log('interop: LeRobot read with', report.versions, 'and', Object.keys(report.read));
  const { lengths } = z
    .object({ lengths: shape })
    .parse(JSON.parse(await readFile(join(source, 'frames.json'), 'utf8')));
  return { report, lengths, total: lengths.reduce((sum, length) => sum + length) };
}

describe('LeRobotDataset', () => {
  beforeEach((context) => needs('lerobot', context));

  it('reads every frame of the simulated robot, its pictures and its windows', async () => {
    const { report, lengths, total } = await read(inject('example'));
    expect(report).toMatchObject({ fps: 30, episodes: 2, lastEpisode: [lengths[1], 1, 0] });
    expect(report.tasks).toEqual(['Pick up the red block and place it on the green target.']);
    expect(Object.keys(report.read)).toContain('pyav');
    for (const { frames, mismatches, distance } of Object.values(report.read)) {
      expect(mismatches).toEqual([]);
      expect(frames).toBe(total);
      expect(Object.keys(distance)).toEqual(['observation.images.front', 'observation.images.wrist']);
      expect(Math.max(...Object.values(distance))).toBeLessThan(CODEC_DISTANCE);
    }
    expect(report.windows).toMatchObject({ windows: total, mismatches: [] });
    expect(report.windows.distance).toBeLessThan(CODEC_DISTANCE);
    expect(report.policyFeatures).toEqual({
      'observation.images.front': ['VISUAL', [3, 240, 320]],
      'observation.images.wrist': ['VISUAL', [3, 240, 320]],
      'observation.state': ['STATE', [8]],
      'observation.wrench': ['STATE', [6]],
      'observation.tactile': ['STATE', [16]],
      action: ['ACTION', [8]],
    });
    expect(report.batch['observation.images.front']).toEqual([8, 3, 240, 320]);
    expect(report.statistics['observation.state']?.q99).toEqual([8]);
    expect(report.statistics['observation.images.front']?.mean).toEqual([3, 1, 1]);
  });

  it('reads every frame of a real recording without cameras', async ({ skip }) => {
    const gait = inject('gait');
    skip(!gait, 'the recording is not beside the clone');
    const { report, total } = await read(gait!);
    expect(report).toMatchObject({ fps: 50, episodes: 1 });
    for (const { frames, mismatches } of Object.values(report.read)) {
      expect(mismatches).toEqual([]);
      expect(frames).toBe(total);
    }
    expect(report.windows.mismatches).toEqual([]);
    expect(report.batch['observation.load']).toEqual([8, 20, 6]);
  });
});
