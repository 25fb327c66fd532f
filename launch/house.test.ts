import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertEpisodes } from '../converters/convert.ts';
import type { FinishedTake } from '../recorder/finished-take.ts';
import { Recorder } from '../recorder/recorder.ts';
import { type ContractFile, readContract } from '../schemas/contract-file.ts';
import { EVENTS_TOPIC } from '../schemas/episode-events.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { verify } from './commands/verify.ts';
import { startViewer } from './commands/view.ts';
import { DemoRobot } from './demo-robot/demo-robot.ts';
import { TOPICS } from './demo-robot/streams.ts';
import type { DemoTruth } from './demo-robot/truth.ts';
import { formatsNamed } from './formats.ts';

const DROP = { kind: 'drop', topic: TOPICS.wrench, fromSecs: 0.8, forSecs: 0.3 } as const;

let directory: string;
let contract: ContractFile;
let take: FinishedTake;
let truth: DemoTruth;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  contract = await readContract(join(import.meta.dirname, 'contracts', 'demo-arm.yaml'));
  const robot = new DemoRobot({
    seed: 5,
    durationSecs: 2,
    faults: [DROP],
    startTime: 1_700_000_000_000_000_000n,
  });
  const library = join(directory, 'recordings');
  const recorder = await Recorder.open(robot, {
    contractFile: contract,
    directory: library,
    version: 'test',
  });
  await recorder.startTake({ task: contract.contract.episode.tasks[0]!, operator: 'test' });
  await recorder.sourceEnded;
  expect(recorder.sourceError).toBeUndefined();
  take = await recorder.stopTake();
  await recorder.keepTake({ outcome: 'success' }, 'test');
  await recorder.close();
  truth = robot.truth!;
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

const convert = (name: string) =>
  convertEpisodes([take.file], {
    contract,
    formats: formatsNamed('lerobot,webdataset'),
    directory: join(directory, name),
    version: 'test',
  });

describe('a message travels the whole house', () => {
  it('every message that the robot sent is in the episode', async () => {
    await using reader = await EpisodeReader.open(take.file);
    const counts = new Map(
      [...reader.messageCounts].map(([id, count]) => [reader.channels.get(id)!.topic, count]),
    );
    expect(counts.get(TOPICS.jointStates)).toBeGreaterThan(390);
    expect(counts.get(TOPICS.wrench)).toBeGreaterThan(800);
    expect(counts.get(TOPICS.frontImage)).toBeGreaterThan(55);
    expect(counts.get(EVENTS_TOPIC)).toBe(2); // start and stop
    expect(counts.size).toBe(1 + Object.keys(contract.contract.streams).length);
    expect(take.ledger.totals.every(({ received, written }) => received === written)).toBe(true);
  });

  it('the ledger names the loss that was planted, and no other', () => {
    const [fault] = truth.faults;
    expect(take.ledger.losses).toHaveLength(1);
    const [loss] = take.ledger.losses;
    expect(loss).toMatchObject({ topic: TOPICS.wrench, cause: 'gap' });
    expect(Math.abs(loss!.messages! - fault!.sensorTimes.length)).toBeLessThanOrEqual(1);
    // The gap lies around the first and last stamp that never came; transport takes up to 10 ms.
    const [first, last] = [BigInt(fault!.sensorTimes[0]!), BigInt(fault!.sensorTimes.at(-1)!)];
    expect(loss!.startTime).toBeLessThanOrEqual(first + 10_000_000n);
    expect(loss!.endTime).toBeGreaterThan(last);
    expect(loss!.endTime - last).toBeLessThan(15_000_000n);
  });

  it('both datasets pass verification, mask the loss, and are the same bytes when made again', async () => {
    const { datasets, late } = await convert('datasets');
    expect(late).toEqual([]);
    expect(
      await verify(
        datasets.map((each) => each.directory),
        {},
      ),
    ).toBe(0);
    for (const { manifest } of datasets) {
      const wrench = manifest.features.find(({ key }) => key === 'observation.wrench')!;
      // 0.3 s of a take of about 2 s, less the tolerance at the gap's beginning.
      expect(wrench.invalidShare).toBeGreaterThan(0.1);
      expect(wrench.invalidShare).toBeLessThan(0.17);
      const others = manifest.features.filter(({ key }) => key !== 'observation.wrench');
      expect(others.map(({ key, invalidShare }) => [key, invalidShare])).toEqual(
        others.map(({ key }) => [key, 0]),
      );
    }
    const again = await convert('again');
    expect(again.datasets.map(({ manifest }) => manifest.files)).toEqual(
      datasets.map(({ manifest }) => manifest.files),
    );
  });

  it('a changed byte in a dataset is found', async () => {
    const shard = join(directory, 'datasets', 'webdataset', 'shard-000000.tar');
    const bytes = await readFile(shard);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(shard, bytes);
    expect(await verify([join(directory, 'datasets', 'webdataset')], {})).toBe(3);
  });

  it('the replay serves the recording byte for byte', async () => {
    const viewer = await startViewer([take.file], { port: 0 });
    try {
      const served = new Uint8Array(await (await fetch(viewer.fileUrl)).arrayBuffer());
      expect(Buffer.compare(served, await readFile(take.file))).toBe(0);
    } finally {
      await viewer.close();
    }
  });
});
