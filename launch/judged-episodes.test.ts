import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testContract, writeTestEpisode } from '../converters/episode.fixture.ts';
import { readFindings } from '../schemas/findings-file.ts';
import { appendLabel } from '../schemas/labels.ts';
import { judgedEpisodes } from './judged-episodes.ts';

const contract = testContract(`
streams: { joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 50 } }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [1], toleranceSecs: 0.05 }
samples: { tickRateHz: 25 }
`);
const options = { contract, version: '1' };

let folder: string;
let whole: string;
let holed: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinescribe-judged-'));
  whole = await episode('whole', () => true);
  holed = await episode('holed', (i) => i < 60 || i > 100);
});
afterAll(() => rm(folder, { recursive: true }));

async function episode(id: string, keep: (i: number) => boolean): Promise<string> {
  const messages = Array.from({ length: 200 }, (_, i) => ({
    ...{ log: i * 20 + (i % 3), stamp: i * 20 + (i % 2) },
    value: { name: ['a'], position: [Math.sin(i / 20)], velocity: [], effort: [] },
  }));
  const file = join(folder, `${id}.mcap`);
  const stream = {
    topic: '/joints',
    type: 'sensor_msgs/msg/JointState',
    messages: messages.filter((_, i) => keep(i)),
  } as const;
  await writeTestEpisode(file, [stream], { id, task: 'pick' });
  return file;
}

describe('judgedEpisodes()', () => {
  it('checks what has no findings and leaves out what is excluded', async () => {
    const { kept, leftOut, verdicts } = await judgedEpisodes([whole, holed], {
      ...options,
      require: 'sound',
    });
    expect(kept).toEqual([whole]);
    expect(leftOut).toEqual([{ file: holed, verdict: 'EXCLUDE' }]);
    expect([...verdicts.values()].sort()).toEqual(['EXCLUDE', 'PASS']);
  });

  it('heeds waivers without checking again', async () => {
    const stored = await readFindings(holed);
    for (const { id, status } of stored!.findings) {
      if (status !== 'fail' && status !== 'warn') continue;
      const label = { kind: 'waiver', finding: id, reason: 'the arm was parked' } as const;
      await appendLabel(holed, { author: 'p1', time: '2026-01-01T00:00:00Z', label });
    }
    const { kept } = await judgedEpisodes([holed], { ...options, require: 'pass' });
    expect(kept).toEqual([holed]);
    expect(await readFindings(holed)).toEqual(stored);
  });

  it('leaves out what cannot be read', async () => {
    const broken = join(folder, 'broken.mcap');
    await writeFile(broken, 'no mcap');
    const { leftOut } = await judgedEpisodes([broken], { ...options, require: 'sound' });
    expect(leftOut).toEqual([{ file: broken, verdict: 'UNREADABLE' }]);
  });

  it('excludes none for what nearly all episodes share, whether it was checked before or not', async () => {
    const shared = join(folder, 'shared');
    await mkdir(shared);
    const isLate = (i: number) => i < 60 || i > 100;
    const files: string[] = [];
    for (let i = 0; i < 20; i++) files.push(await episode(`shared/${i}`, isLate));
    const alone = await judgedEpisodes(files.slice(0, 10), { ...options, require: 'sound' });
    expect(alone.kept).toEqual([]);
    const { kept } = await judgedEpisodes(files, { ...options, require: 'sound' });
    expect(kept).toEqual(files);
    expect((await readFindings(files[19]!))!.verdict).not.toBe('EXCLUDE');
  });
});
