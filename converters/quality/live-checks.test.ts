import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import type { Finding } from '../../schemas/finding.ts';
import { findingsFileOf } from '../../schemas/findings-file.ts';
import { appendLabel } from '../../schemas/labels.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { EPOCH, testChannel } from '../episode.fixture.ts';
import { LiveChecks } from './live-checks.ts';
import { RIG } from './rig.fixture.ts';

const { streams } = RIG;
const CONTRACT = { ...RIG, streams: { joints: streams.joints!, commands: streams.commands! }, features: {} };
const INFO: EpisodeInfo = {
  ...{
    id: 'live',
    contract: 'rig',
    contractDigest: `sha256:${'0'.repeat(64)}`,
    robot: 'rig',
    task: 'pick up the cup',
  },
  ...{ operator: 'p1', source: 'demo', recorderVersion: '1', startTime: `${EPOCH}` },
  ...{ clockSystemTime: '0', clockMonotonicNanos: '0' },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinescribe-live-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Shows three seconds of joints and commands to the checks as fast as it can, and writes them to a file. */
async function showTake(
  checks: LiveChecks,
  isSent: (stream: string, secs: number) => boolean,
): Promise<string> {
  const file = join(folder, `${Math.random()}.mcap`);
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  checks.takeStarted(INFO, EPOCH);
  const sent = Object.entries(CONTRACT.streams).map(([name, { topic, type, rateHz }], key) => {
    const spec = testChannel(topic, type);
    checks.channel(key, spec);
    return {
      name,
      key,
      rateHz: rateHz!,
      id: writer.addChannel(spec),
      encode: createEncoder(topic, spec.schema!),
    };
  });
  for (let millis = 0; millis < 3000; millis += 10) {
    for (const { name, key, id, rateHz, encode } of sent) {
      if ((millis * rateHz) % 1000 !== 0 || !isSent(name, millis / 1000)) continue;
      const stamp = EPOCH + BigInt(millis) * 1_000_000n;
      const logTime = stamp + 1_000_000n + BigInt((millis * 7919) % 300_000);
      const header = { stamp: nanosToStamp(stamp), frame_id: '' };
      const position = [Math.sin((millis + (name === 'commands' ? 30 : 0)) / 300)];
      const data = encode({ header, name: ['a'], position, velocity: [], effort: [] }).slice();
      await writer.write({ channelId: id, sequence: millis, logTime, publishTime: logTime, data });
      checks.message({ channelKey: key, logTime, data });
      data.fill(0); // its buffer belongs to somebody else from now on
    }
  }
  await writer.close();
  return file;
}

const endTime = EPOCH + 3_000_000_000n;

describe('LiveChecks', () => {
  it('says what is wrong while the take runs, and a verdict with its reasons after it', async () => {
    await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    const file = await showTake(checks, (name, secs) => name !== 'joints' || secs < 1 || secs > 1.6);
    await expect
      .poll(() => checks.current(), { timeout: 10_000 })
      .toContainEqual(expect.stringMatching(/^joints: no message for [\d.]+ s at [\d.]+ s \(T07\)$/));
    const verdict = await checks.takeEnded(endTime, file);
    expect(verdict).toMatchObject({ verdict: 'EXCLUDE' });
    expect(verdict!.reasons[0]).toMatch(/^joints: .* at 1\.0 s \(T0[67]\)$/);
    const gap = verdict!.findings.find(({ id }) => id === 'T07/joints');
    expect(gap).toMatchObject({ status: 'fail', reason: 'no message for 0.62 s' });
    await expect
      .poll(() => readFile(findingsFileOf(file), 'utf8').catch(() => ''), { timeout: 10_000 })
      .toContain('EXCLUDE');
  });

  it('begins anew with every take', async () => {
    await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    await checks.takeEnded(endTime, await showTake(checks, (name, secs) => name !== 'joints' || secs < 1));
    const sound = await checks.takeEnded(endTime, await showTake(checks, () => true));
    expect(sound!.findings.filter(({ status, claim }) => status === 'fail' && claim === 'DEFECT')).toEqual(
      [],
    );
    expect(checks.current()).toEqual([]);
  });

  it('tells of a stream that falls silent although nothing arrives any more', async () => {
    await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    await showTake(checks, (_, secs) => secs < 1);
    await delay(300);
    await expect
      .poll(() => checks.current().join(), { timeout: 10_000 })
      .toMatch(/no message for .* \(T07\)/);
  });

  it('knows what was paused, and what a person has answered for', async () => {
    await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    const gone = (name: string, secs: number) => name !== 'joints' || secs < 1 || secs > 1.6;
    const isFailed = ({ claim, status }: Finding) =>
      claim === 'DEFECT' && (status === 'fail' || status === 'warn');
    const unheeded = (await checks.takeEnded(endTime, await showTake(checks, gone)))!;
    expect(unheeded.verdict).toBe('EXCLUDE');

    const waived = await showTake(checks, gone);
    for (const { id } of unheeded.findings.filter(isFailed)) {
      const label = { kind: 'waiver', finding: id, reason: 'the arm was parked' } as const;
      await appendLabel(waived, { author: 'p1', time: '2026-01-01T00:00:00Z', label });
    }
    expect((await checks.takeEnded(endTime, waived))!.verdict).not.toBe('EXCLUDE');

    const paused = await showTake(checks, gone);
    checks.event({ event: 'pause', by: 'p1' }, EPOCH + 900_000_000n);
    checks.event({ event: 'resume', by: 'p1' }, EPOCH + 2_000_000_000n);
    const { findings } = (await checks.takeEnded(endTime, paused))!;
    expect(findings.filter(isFailed)).toEqual([]);
    expect(findings.find(({ id }) => id === 'C07/joints')).toMatchObject({
      reason: '1 gaps are explained (pause)',
    });
  });

  it('close() comes after the verdict on a take that is over, and its findings', async () => {
    const checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    const file = await showTake(checks, () => true);
    const told = checks.takeEnded(endTime, file);
    await checks.close();
    const { verdict } = (await told)!;
    expect(JSON.parse(await readFile(findingsFileOf(file), 'utf8'))).toMatchObject({ verdict });
  });

  it('says that it does not know a take of which it could not see everything', async () => {
    await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    const file = await showTake(checks, () => true);
    for (let i = 0; i < 60; i++) {
      checks.message({ channelKey: 0, logTime: endTime, data: new Uint8Array(8) });
      checks.refused(0, endTime); // what waits crosses at once
    }
    const { verdict, reasons } = (await checks.takeEnded(endTime, file))!;
    expect(verdict).toBe('UNKNOWN');
    expect(reasons).toEqual([
      expect.stringMatching(/could not keep up and did not see \d+ messages; "kinescribe check"/),
    ]);
  });

  it('has no verdict on a take without a file', async () => {
    await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
    await showTake(checks, () => true);
    expect(await checks.takeEnded(endTime, undefined)).toBeUndefined();
  });
});
