import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jointState, writeTestEpisode } from '../../converters/episode.fixture.ts';
import { findingsFileOf, readFindings } from '../../schemas/findings-file.ts';
import { check } from './check.ts';

const CONTRACT = `kinescribe: 1
name: test
robot: { model: test }
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 50 }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [1], toleranceSecs: 0.05 }
samples: { tickRateHz: 25 }
episode: { tasks: [pick] }
`;

const JOINTS = Array.from({ length: 150 }, (_, i) => ({
  log: 20 * i,
  value: jointState([Math.sin(i / 20)]),
}));

let folder: string;
let contract: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinescribe-check-'));
  contract = join(folder, 'test.yaml');
  await writeFile(contract, CONTRACT);
  const streams = [{ topic: '/joints', type: 'sensor_msgs/msg/JointState', messages: JOINTS }] as const;
  await writeTestEpisode(join(folder, 'a.mcap'), streams, { id: 'a', task: 'pick' });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** What a check of the library tells on both streams, with a plan beside its episode. */
async function told(plan: string | undefined) {
  if (plan !== undefined) await writeFile(join(folder, 'plan.yaml'), plan);
  const [out, err] = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  );
  await check([folder], { contract });
  const textOf = (spy: typeof out) => spy!.mock.calls.map(([text]) => String(text)).join('');
  return { out: textOf(out), err: textOf(err) };
}

describe('check()', () => {
  it('tells of a plan that does not parse and checks the episodes all the same', async () => {
    const { out, err } = await told('kinescribe: 1\ntargets:\n  - { task: pour, count: 3 }\n');
    expect(err).toMatch(/plan\.yaml:3.*"pour"/s);
    expect(out).toContain('a.mcap');
  });

  it.each([
    ['a sound plan', 'kinescribe: 1\ntargets:\n  - { task: pick, count: 3 }\n'],
    ['no plan', undefined],
  ])('says nothing of %s', async (_, plan) => expect((await told(plan)).err).toBe(''));

  it('judges an episode alone as it does within its library: by its traits and its peers', async () => {
    // The driver of this rig stalls in every take, and in one of them twice.
    for (let i = 0; i < 21; i++) {
      const stalls = i === 20 ? [50, 100] : [50];
      const isSent = (k: number) => !stalls.some((from) => k >= from && k < from + 30);
      const messages = JOINTS.filter((_, k) => isSent(k));
      const streams = [{ topic: '/joints', type: 'sensor_msgs/msg/JointState', messages }] as const;
      await writeTestEpisode(join(folder, `b${i}.mcap`), streams, { id: `b${i}`, task: 'pick' });
    }
    await told(undefined);
    const file = join(folder, 'b20.mcap');
    const within = (await readFindings(file))!;
    await rm(findingsFileOf(file));
    vi.restoreAllMocks();
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await check([file], { contract });
    expect(write.mock.calls.map(([text]) => String(text)).join('')).toMatch(
      /within its library.*share it: .*T07\/joints/s,
    );
    const alone = (await readFindings(file))!;
    expect(alone.verdict).not.toBe('EXCLUDE');
    expect(alone.verdict).toBe(within.verdict);
    const peersOf = ({ findings }: typeof alone) =>
      findings.find(({ check: id }) => id === 'E02')!.evidence.peers;
    expect(peersOf(alone)).toBe(21);
    expect(peersOf(within)).toBe(21);
  });
});
