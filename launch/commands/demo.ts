import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FinishedTake } from '../../recorder/finished-take.ts';
import { Recorder } from '../../recorder/recorder.ts';
import { type ContractFile, readContract } from '../../schemas/contract-file.ts';
import { RecordError, UsageError } from '../../schemas/errors.ts';
import type { CommandOptions } from '../command.ts';
import { DemoRobot } from '../demo-robot/demo-robot.ts';
import type { Fault } from '../demo-robot/faults.ts';
import { TOPICS } from '../demo-robot/streams.ts';
import { formatsNamed } from '../formats.ts';
import { logLine } from '../live-view.ts';
import { ProgressLine } from '../progress-line.ts';
import { takeLines } from '../take-report.ts';
import { programVersion } from '../version.ts';
import { check } from './check.ts';
import { convertWithProgress } from './convert.ts';
import { verify } from './verify.ts';
import { view } from './view.ts';

const CONTRACT = new URL('../contracts/demo-arm.yaml', import.meta.url).pathname;

const REPORT = 'check.html';

/** Two of the formats, to keep the demo short. */
const FORMATS = 'lerobot,webdataset';

/** What goes wrong in the second episode, on purpose. */
const FAULTS: readonly Fault[] = [
  { kind: 'drop', topic: TOPICS.wrench, fromSecs: 3, forSecs: 0.4 },
  { kind: 'drop', topic: TOPICS.wristImage, fromSecs: 5, forSecs: 0.3 },
  { kind: 'missed-grasp' },
];

/** `kinescribe demo`: the whole way with a simulated robot. */
export async function demo(options: CommandOptions): Promise<number> {
  const directory = String(options.out);
  await clearEarlierDemo(directory);
  const recordings = join(directory, 'recordings');
  const datasets = join(directory, 'datasets');
  const contract = await readContract(CONTRACT);
  const seed = Number(options.seed);

  console.log('1. Recording two takes of a simulated arm, in real time');
  const takes = [
    await recordTake(contract, recordings, seed, []),
    await recordTake(contract, recordings, seed + 1, FAULTS),
  ];
  console.log('\n2. Checking both');
  // The second take is to be excluded: its faults are on purpose.
  await check([recordings], { report: join(directory, REPORT) });
  console.log(`What was found, with pictures: ${join(directory, REPORT)}`);
  console.log('\n3. Converting both');
  const files = takes.map(({ file }) => file);
  await convertWithProgress(files, {
    contract,
    formats: formatsNamed(FORMATS),
    directory: datasets,
    keepPrepared: false,
  });
  console.log('\n4. Verifying the datasets');
  const verdict = await verify(
    FORMATS.split(',').map((name) => join(datasets, name)),
    {},
  );
  if (verdict !== 0 || options.serve === false) return verdict;
  console.log('\n5. Replaying');
  return view([recordings], { port: Number(options.port) });
}

async function recordTake(
  contractFile: ContractFile,
  directory: string,
  seed: number,
  faults: readonly Fault[],
): Promise<FinishedTake> {
  const { contract } = contractFile;
  const robot = new DemoRobot({ seed, faults, realTime: true });
  const recorder = await Recorder.open(robot, { contractFile, directory, version: await programVersion() });
  await recorder.startTake({ task: contract.episode.tasks[0]!, operator: 'demo' });
  const line = new ProgressLine();
  const drawing = setInterval(() => line.show(logLine(recorder.status())), 250);
  await recorder.sourceEnded;
  clearInterval(drawing);
  line.end();
  const { truth } = robot;
  if (recorder.sourceError || !truth)
    throw recorder.sourceError ?? new RecordError('The robot gave no account of itself.');
  const take = await recorder.stopTake();
  const success = truth.tasks.every((task) => task.success);
  await recorder.keepTake({ outcome: success ? 'success' : 'failure' }, 'demo');
  await recorder.close();
  await writeFile(join(directory, `${take.id}.truth.json`), JSON.stringify(truth, null, 1));
  console.log(takeLines(take, contract).join('\n'));
  for (const { fault, sensorTimes } of truth.faults) {
    const what =
      fault.kind === 'drop' ? `${sensorTimes.length} messages of ${fault.topic} dropped` : fault.kind;
    const when = 'fromSecs' in fault ? ` ${fault.fromSecs} s after the robot's start` : '';
    console.log(`  injected on purpose: ${what}${when}`);
  }
  console.log(`  the block was ${success ? 'placed: success' : 'not placed: failure'}`);
  return take;
}

/** Removes what an earlier demo left; anybody's other files are never touched. */
async function clearEarlierDemo(directory: string): Promise<void> {
  const ours = new Set(['recordings', 'datasets', REPORT]);
  await mkdir(directory, { recursive: true });
  const foreign = (await readdir(directory)).filter((name) => !ours.has(name));
  if (foreign.length > 0) {
    throw new UsageError(
      `Cannot run the demo in "${directory}": it holds "${foreign[0]}", which no demo made. Name another folder with --out.`,
    );
  }
  for (const name of ours) await rm(join(directory, name), { recursive: true, force: true });
}
