import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { z } from '../../schemas/validation.ts';
import { needs, readWith } from './python.ts';

/** The formats that take one program each, all in the hands of the libraries that training jobs use. */
const texts = z.array(z.string());
const shape = z.array(z.int());

function paths(format: string) {
  const { datasets, source } = inject('example');
  return { dataset: join(datasets, format), source };
}

/** Mean distance of a decoded picture from its source, of 255, that a video of crf 30 may cost. */
const VIDEO_DISTANCE = 4;
/** The same for JPEG of quality 90. */
const JPEG_DISTANCE = 2.5;

const TASK = 'Pick up the red block and place it on the green target.';

describe('LeRobot v2.1', () => {
  const schema = z.object({
    versions: z.object({ codebase: z.literal('v2.1'), lerobot: z.string() }),
    total: z.int(),
    lerobot: z.object({
      frames: z.int(),
      episodes: z.int(),
      mismatches: texts,
      distance: z.number(),
      statistics: texts,
    }),
    groot: z.object({
      parts: z.record(z.string(), shape),
      video: z.record(z.string(), z.string()),
      missingStatistics: texts,
      mismatches: texts,
    }),
  });

  it('is read by LeRobotDataset and found by GR00T', async (context) => {
    needs('lerobotV21', context);
    const { dataset, source } = paths('lerobot-v21');
    const report = schema.parse(await readWith('read_lerobot_v21.py', [dataset, source]));
    const { lerobot, groot, total, versions } = report;
    console.log(
      `interop: ${lerobot.frames} frames read with lerobot ${versions.lerobot} (${versions.codebase})`,
    );
    expect([...lerobot.mismatches, ...groot.mismatches]).toEqual([]);
    expect([lerobot.frames, lerobot.episodes]).toEqual([total, 2]);
    expect(lerobot.distance).toBeLessThan(VIDEO_DISTANCE);
    expect(lerobot.statistics).toHaveLength(6);
    expect(groot.parts).toEqual({
      'state.state': [8],
      'state.wrench': [6],
      'state.tactile': [16],
      'action.action': [8],
    });
    expect(groot.video).toEqual({ front: 'observation.images.front', wrist: 'observation.images.wrist' });
    // GR00T makes its own, with NaN wherever a value is masked, as soon as one is missing.
    expect(groot.missingStatistics).toEqual([]);
  });
});

describe('RLDS', () => {
  const schema = z.object({
    versions: z.record(z.string(), z.string()),
    frames: z.int(),
    steps: z.int(),
    episodes: z.int(),
    instructions: texts,
    recordings: texts,
    mismatches: texts,
    distance: z.number(),
  });

  it('is read by tfds.builder_from_directory', async (context) => {
    needs('tensorflow', context);
    const { dataset, source } = paths('rlds');
    const report = schema.parse(await readWith('read_rlds.py', [dataset, source]));
    console.log(`interop: ${report.steps} steps read with`, report.versions);
    expect(report.mismatches).toEqual([]);
    expect([report.steps, report.episodes]).toEqual([report.frames, 2]);
    expect(report.instructions).toEqual([TASK]);
    expect(report.recordings.every((digest) => /^sha256:[0-9a-f]{64}$/.test(digest))).toBe(true);
    expect(report.distance).toBeLessThan(JPEG_DISTANCE);
  });
});

describe('zarr', () => {
  const schema = z.object({
    versions: z.record(z.string(), z.string()),
    frames: z.int(),
    reports: z.array(
      z.object({
        mismatches: texts,
        arrays: z.record(z.string(), z.tuple([z.string()], z.int())),
        windows: z.int(),
        attributes: z.object({ episodes: z.array(z.object({ task: z.string() })) }),
      }),
    ),
  });

  it('is read as ReplayBuffer does, folder and zip', async (context) => {
    needs('zarr', context);
    const { dataset, source } = paths('zarr');
    const zip = join(paths('zarr-zip').dataset, 'replay_buffer.zarr.zip');
    const args = [join(dataset, 'replay_buffer.zarr'), zip, source];
    const { versions, frames, reports } = schema.parse(await readWith('read_zarr.py', args));
    console.log(`interop: ${frames} rows read with`, versions);
    expect(reports).toHaveLength(2);
    for (const { mismatches, arrays, windows, attributes } of reports) {
      expect(mismatches).toEqual([]);
      expect(arrays.front).toEqual(['uint8', frames, 240, 320, 3]);
      expect(arrays.action).toEqual(['float32', frames, 8]);
      expect(windows).toBeGreaterThan(100);
      expect(attributes.episodes.map(({ task }) => task)).toEqual([TASK, TASK]);
    }
  });
});

describe('robomimic', () => {
  const schema = z.object({
    versions: z.record(z.string(), z.string()),
    frames: z.int(),
    samples: z.int(),
    demos: z.int(),
    environment: z.object({ env_type: z.int() }),
    languages: texts,
    masks: z.record(z.string(), z.boolean()),
    batch: z.record(z.string(), shape),
    mismatches: texts,
  });

  it('is read by SequenceDataset', async (context) => {
    needs('robomimic', context);
    const { dataset, source } = paths('robomimic');
    const args = [join(dataset, 'demos.hdf5'), source];
    const report = schema.parse(await readWith('read_robomimic.py', args));
    console.log(`interop: ${report.samples} samples read with`, report.versions);
    expect(report.mismatches).toEqual([]);
    expect([report.samples, report.demos]).toEqual([report.frames, 2]);
    expect(report.batch.wrist).toEqual([4, 8, 240, 320, 3]);
    expect(report.languages).toEqual([TASK, TASK]);
    expect(Object.values(report.masks)).toEqual(Array(6).fill(true));
  });
});

describe('ACT', () => {
  const statistics = z.object({ shape, mean: z.array(z.number()), std: z.array(z.number()) });
  const schema = z.object({
    version: z.string(),
    lengths: shape,
    statistics: z.object({ qpos: statistics, action: statistics }),
    mismatches: texts,
  });

  it('is read as EpisodicDataset and get_norm_stats do', async (context) => {
    needs('robomimic', context); // which brings h5py
    const { dataset, source } = paths('act');
    const report = schema.parse(await readWith('read_act.py', [dataset, source]));
    console.log(`interop: episodes of ${report.lengths} steps read with h5py ${report.version}`);
    expect(report.mismatches).toEqual([]);
    expect(report.statistics.qpos.shape).toEqual([2, Math.max(...report.lengths), 8]);
    expect(report.statistics.action.mean.every(Number.isFinite)).toBe(true);
  });
});
