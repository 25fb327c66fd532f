import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFindings } from '../../schemas/findings-file.ts';
import { appendLabel } from '../../schemas/labels.ts';
import { type TestMessage, type TestStream, testContract, writeTestEpisode } from '../episode.fixture.ts';
import type { Check } from './check.ts';
import { checkEpisode } from './check-episode.ts';
import { checkLibrary, type LibraryEntry } from './check-library.ts';
import { CONTAINER_CHECKS } from './container/container-checks.ts';
import { EPISODE_CHECKS } from './episode/episode-checks.ts';
import { TIME_CHECKS } from './time/time-checks.ts';

const CHECKS: readonly Check[] = [...CONTAINER_CHECKS, ...TIME_CHECKS, ...EPISODE_CHECKS];

const CONTRACT = testContract(`
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 50 }
  tf: { topic: /tf, role: context, type: tf2_msgs/msg/TFMessage, required: false }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [1], toleranceSecs: 0.05 }
samples: { tickRateHz: 25, horizon: 5 }
`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinescribe-check-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Joints at 50 Hz for 4 s; some are left out. */
function jointStream(leave: (i: number) => boolean = () => true): TestStream {
  const messages = Array.from({ length: 200 }, (_, i): TestMessage => {
    const value = { name: ['a'], position: [Math.sin(i / 20)], velocity: [], effort: [] };
    return { log: i * 20 + (i % 3), stamp: i * 20 + (i % 2), value };
  });
  return {
    topic: '/joints',
    type: 'sensor_msgs/msg/JointState',
    messages: messages.filter((_, i) => leave(i)),
  };
}

function transforms(topic: string, edges: readonly (readonly [parent: string, child: string])[]): TestStream {
  const identity = { translation: { x: 0, y: 0, z: 0 }, rotation: { x: 0, y: 0, z: 0, w: 1 } };
  const messages = edges.map(([parent, child], i): TestMessage => {
    const header = { stamp: { sec: 1, nanosec: 0 }, frame_id: parent };
    return { log: 100 + i, value: { transforms: [{ header, child_frame_id: child, transform: identity }] } };
  });
  return { topic, type: 'tf2_msgs/msg/TFMessage', messages };
}

async function episode(name: string, streams: readonly TestStream[]): Promise<string> {
  const file = join(folder, `${name}.mcap`);
  await writeTestEpisode(file, streams, { id: name, task: 'pick' });
  return file;
}

async function checkAll(files: readonly string[], version = '1'): Promise<readonly LibraryEntry[]> {
  const entries: LibraryEntry[] = [];
  for await (const entry of checkLibrary(files, { checks: CHECKS, contract: CONTRACT, version }))
    entries.push(entry);
  return entries;
}

async function check(file: string, ids?: readonly string[]) {
  const checks = CHECKS.filter(({ id }) => !ids || ids.includes(id));
  return checkEpisode(file, { checks, contract: CONTRACT });
}

describe('checkEpisode()', () => {
  it('finds nothing to exclude in a sound recording', async () => {
    const { verdict, findings, durationSecs } = await check(await episode('sound', [jointStream()]));
    const wrong = findings.filter(({ status }) => status === 'fail');
    expect(wrong.map(({ id }) => id)).toEqual([]);
    expect(verdict).toBe('PASS');
    expect(durationSecs).toBeCloseTo(3.98, 1);
  });

  it('excludes a recording with a gap, says why and where to look', async () => {
    const file = await episode('gap', [jointStream((i) => i < 100 || i >= 130)]);
    const { verdict, reasons } = await check(file);
    expect(verdict).toBe('EXCLUDE');
    expect(reasons[0]).toMatch(/^joints: .* \(T0[67]\)$/);
    expect(reasons.join()).toContain('no message for 0.62 s at 2.0 s (T07)');
  });

  it('does not count a waived finding', async () => {
    const file = await episode('waived', [jointStream((i) => i < 100 || i >= 130)]);
    const { findings } = await check(file);
    const failed = findings.filter(
      ({ status, claim }) => claim === 'DEFECT' && (status === 'fail' || status === 'warn'),
    );
    for (const { id } of failed) {
      const label = { kind: 'waiver', finding: id, reason: 'the arm was parked' } as const;
      await appendLabel(file, { author: 'p1', time: '2026-01-01T00:00:00Z', label });
    }
    expect((await check(file)).verdict).not.toBe('EXCLUDE');
  });

  it.each([
    [
      'two parents',
      [
        ['world', 'tool'],
        ['base', 'tool'],
      ],
      'fail',
    ],
    [
      'a circle',
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      'fail',
    ],
    [
      'a chain',
      [
        ['world', 'base'],
        ['base', 'tool'],
      ],
      'pass',
    ],
  ] as const)('C12 says of transforms with %s: %s → %s', async (name, edges, status) => {
    const { findings } = await check(await episode(`tf ${name}`, [jointStream(), transforms('/tf', edges)]), [
      'C12',
    ]);
    expect(findings[0]!.status).toBe(status);
  });

  it('C12 warns of a frame that moves and does not', async () => {
    const both = [transforms('/tf', [['world', 'base']]), transforms('/tf_static', [['world', 'base']])];
    const { findings } = await check(await episode('tf both', [jointStream(), ...both]), ['C12']);
    expect(findings).toMatchObject([{ status: 'warn', channel: 'base' }]);
  });

  it('C03 names both types where another node publishes', async () => {
    const wrong: TestStream = {
      topic: '/joints',
      type: 'std_msgs/msg/Float64MultiArray',
      messages: [{ log: 5, value: {} }],
    };
    const { findings } = await check(await episode('type', [{ ...wrong, messages: [] }, jointStream()]), [
      'C03',
    ]);
    expect(findings.find(({ stream }) => stream === 'joints')).toMatchObject({ status: 'fail' });
  });

  it('C01 names the place of a flipped byte', async () => {
    const file = await episode('damaged', [jointStream()]);
    const bytes = await readFile(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 0xff;
    await writeFile(file, bytes);
    const entries = await checkAll([file]);
    const [entry] = entries;
    if (entry!.kind === 'checked')
      expect(entry!.findings.find(({ check: id }) => id === 'C01')!.status).toBe('fail');
    else expect(entry!.message).toContain(file);
  });

  it('T12 and T17 judge the frames that training would see', async () => {
    const sound = await check(await episode('frames', [jointStream()]), ['T12', 'T17']);
    expect(sound.findings.map(({ status }) => status)).toEqual(['pass', 'pass']);
    const holes = await check(await episode('holes', [jointStream((i) => i % 50 < 25)]), ['T12', 'T17']);
    expect(holes.findings.map(({ check: id, status }) => `${id} ${status}`)).toEqual([
      'T12 fail',
      'T17 fail',
    ]);
  });

  it('an episode without a contract is UNKNOWN at best', async () => {
    const file = await episode('free', [jointStream()]);
    const { verdict, findings } = await checkEpisode(file, { checks: CHECKS });
    expect(verdict).toBe('UNKNOWN');
    expect(findings.find(({ check: id }) => id === 'C02')).toMatchObject({ status: 'not_assessed' });
  });

  it('limits of the contract go before those of the catalogue, and a finding says so', async () => {
    const file = await episode('limits', [jointStream((i) => i < 100 || i >= 130)]);
    const contract = { ...CONTRACT, checks: { T07: { warn: 1, fail: 2 } } };
    const { findings } = await checkEpisode(file, { checks: CHECKS, contract });
    expect(findings.find(({ check: id }) => id === 'T07')).toMatchObject({
      status: 'pass',
      limit: 1,
      limitOrigin: 'contract',
    });
  });
});

describe('checkLibrary()', () => {
  it('leaves findings beside each episode and goes on after one that cannot be read', async () => {
    const sound = await episode('library', [jointStream()]);
    const broken = join(folder, 'broken.mcap');
    await writeFile(broken, 'no mcap');
    const entries = await checkAll([broken, sound], '1.2.3');
    expect(entries.map(({ kind }) => kind)).toEqual(['unreadable', 'checked']);
    const stored = await readFindings(sound);
    expect(stored).toMatchObject({
      version: '1.2.3',
      verdict: 'PASS',
      episodeDigest: expect.stringMatching(/^sha256:/),
    });
    const checked = entries[1]!;
    expect(stored!.findings).toEqual(checked.kind === 'checked' ? checked.findings : undefined);
  });
});
