import type { Check } from '../converters/quality/check.ts';
import type { ContentLag } from '../converters/quality/episode-facts.ts';
import { Examination } from '../converters/quality/examination.ts';
import { Feed } from '../converters/quality/feed.ts';
import { RigCollector } from '../converters/quality/rig-collector.ts';
import { Sampler } from '../converters/quality/sampler.ts';
import type { CheckedStream } from '../converters/quality/subject.ts';
import { CONTENT_CHECK } from '../converters/quality/time/content-check.ts';
import { ContentSeries } from '../converters/quality/time/content-lag.ts';
import type { Calibration } from '../schemas/calibration.ts';
import type { Contract } from '../schemas/contract.ts';
import { readContract } from '../schemas/contract-file.ts';
import type { Finding, FindingStatus } from '../schemas/finding.ts';
import { currentLabels } from '../schemas/labels.ts';
import type { Fault } from './demo-robot/faults.ts';
import { channelOf, STREAMS, TOPICS } from './demo-robot/streams.ts';
import { recordTake, type Take } from './demo-robot/take.fixture.ts';

/** A fault of the simulated robot and the check that must tell of it. */
export interface PlantedFault {
  readonly check: string;
  /** Of the demo contract. */
  readonly stream: string;
  readonly channel?: string;
  readonly fault: Fault;
  /** @default 'fail' */
  readonly status?: FindingStatus;
  /** Where the finding must point, seconds after the start; absent for one of the whole episode. */
  readonly at?: number;
}

const window = (fromSecs: number, forSecs: number) => ({ fromSecs, forSecs });
const [front, wrist] = [{ topic: TOPICS.frontImage }, { topic: TOPICS.wristImage }] as const;
const WHOLE = window(0, 60);

/**
 * Every fault that the simulated robot can show. An episode lasts about 12 s; faults of one row touch nothing that
 * another row of the same group looks at, so that a group is one take.
 */
export const PLANTED: readonly (readonly PlantedFault[])[] = [
  [
    { check: 'V01', stream: 'front', at: 2, fault: { kind: 'cut-picture', ...front, ...window(2, 1) } },
    // On the way to the block: when it is set down the arm may stand, and a still picture is no fault.
    { check: 'V03', stream: 'wrist', at: 1.5, fault: { kind: 'frozen-camera', ...wrist, ...window(1.5, 1) } },
    { check: 'V11', stream: 'front', at: 4, fault: { kind: 'small-picture', ...front, ...window(4, 0.5) } },
    {
      check: 'K01',
      stream: 'joints',
      channel: 'joint7',
      at: 3,
      fault: { kind: 'joint-offset', joint: 'joint7', radians: 4, ...window(3, 1) },
    },
    {
      check: 'K04',
      stream: 'joints',
      channel: 'joint7',
      at: 3,
      fault: { kind: 'joint-offset', joint: 'joint7', radians: 4, ...window(3, 1) },
    },
    {
      check: 'I01',
      stream: 'wrench',
      channel: 'force.z',
      at: 3,
      fault: { kind: 'force-saturation', limitNewtons: 150, ...window(3, 0.5) },
    },
    {
      check: 'I06',
      stream: 'wrench',
      channel: 'torque.x',
      at: 5,
      fault: { kind: 'stuck-torque', ...window(5, 2) },
    },
    {
      check: 'I11',
      stream: 'gripper',
      channel: 'gripper',
      status: 'warn',
      at: 4,
      fault: { kind: 'stuck-gripper', ...window(2, 9) },
    },
    {
      check: 'A03',
      stream: 'commands',
      channel: 'joint2',
      fault: { kind: 'command-jumps', joint: 'joint2', radians: 0.2, everySecs: 0.5, ...window(2, 7) },
    },
    { check: 'I14', stream: 'tactile', fault: { kind: 'dead-taxels', taxels: [1, 6], ...WHOLE } },
    { check: 'K14', stream: 'tf', fault: { kind: 'rotation-length', length: 1.03, ...window(4, 1) }, at: 4 },
  ],
  [
    { check: 'V04', stream: 'front', at: 3, fault: { kind: 'black-camera', ...front, ...window(3, 3) } },
    {
      check: 'V06',
      stream: 'wrist',
      at: 6,
      fault: { kind: 'blurred-camera', pixels: 4, ...wrist, ...window(6, 2) },
    },
    { check: 'K06', stream: 'joints', at: 1.5, fault: { kind: 'frozen-joints', ...window(1.5, 1.2) } },
    {
      check: 'I08',
      stream: 'wrench',
      at: 1.5,
      fault: { kind: 'force-chatter', newtons: 8, rateHz: 12, ...window(1.5, 1.5) },
    },
    {
      check: 'A01',
      stream: 'commands',
      channel: 'joint3',
      at: 4,
      fault: { kind: 'command-nan', joint: 'joint3', ...window(4, 0.2) },
    },
    {
      check: 'I09',
      stream: 'gripper',
      channel: 'gripper',
      fault: { kind: 'gripper-chatter', metres: 0.004, rateHz: 8, ...window(5, 2) },
    },
    { check: 'I15', stream: 'tactile', fault: { kind: 'sticky-skin', share: 0.4, ...WHOLE } },
    { check: 'I02', stream: 'wrench', fault: { kind: 'force-bias', newtons: 12, ...WHOLE } },
  ],
  [
    {
      check: 'V08',
      stream: 'front',
      at: 4,
      fault: { kind: 'exposure', gain: 0.3, ...front, ...window(4, 2) },
    },
    {
      check: 'V07',
      stream: 'wrist',
      fault: { kind: 'flat-picture', contrast: 0.08, ...wrist, ...window(4, 3) },
    },
    {
      check: 'K05',
      stream: 'joints',
      channel: 'joint4',
      fault: { kind: 'joint-spikes', joint: 'joint4', radians: 0.3, every: 20, ...WHOLE },
    },
    { check: 'A07', stream: 'commands', fault: { kind: 'command-copy', ...WHOLE } },
    { check: 'I05', stream: 'wrench', fault: { kind: 'force-noise', newtons: 1, ...WHOLE } },
  ],
  [
    { check: 'V05', stream: 'front', fault: { kind: 'exposure', gain: 6, ...front, ...window(4, 2) }, at: 4 },
    {
      check: 'V12',
      stream: 'wrist',
      fault: { kind: 'squeezed-picture', quality: 1, ...wrist, ...WHOLE },
    },
    {
      check: 'K10',
      stream: 'joints',
      fault: { kind: 'joint-tremor', joint: 'joint5', radians: 0.02, rateHz: 9, ...WHOLE },
    },
    {
      check: 'A02',
      stream: 'commands',
      channel: 'joint4',
      fault: { kind: 'command-held', joint: 'joint4', radians: 2.2, ...window(3, 5) },
    },
  ],
  [
    {
      check: 'V09',
      stream: 'front',
      fault: { kind: 'moved-camera', pixels: 8, ...front, ...window(5, 60) },
      at: 5,
    },
    { check: 'K12', stream: 'joints', fault: { kind: 'velocity-scale', factor: 57.3, ...WHOLE } },
    {
      check: 'A05',
      stream: 'commands',
      fault: { kind: 'stale', topic: TOPICS.jointCommands, bySecs: 0.15, ...WHOLE },
    },
    { check: 'I03', stream: 'wrench', fault: { kind: 'force-drift', newtonsPerSec: 0.5, ...WHOLE } },
    { check: 'I04', stream: 'wrench', fault: { kind: 'force-drift', newtonsPerSec: 0.5, ...WHOLE } },
    { check: 'I13', stream: 'gripper', status: 'warn', fault: { kind: 'taken-block', ...window(6.5, 1) } },
  ],
  [
    { check: 'V10', stream: 'front', fault: { kind: 'swapped-camera', ...front, ...WHOLE } },
    { check: 'V10', stream: 'wrist', fault: { kind: 'swapped-camera', ...wrist, ...WHOLE } },
    {
      check: 'K07',
      stream: 'joints',
      channel: 'joint1',
      fault: { kind: 'stuck-joint', joint: 'joint1', ...WHOLE },
    },
    { check: 'K13', stream: 'tf', fault: { kind: 'stuck-joint', joint: 'joint1', ...WHOLE } },
    {
      check: 'A04',
      stream: 'commands',
      channel: 'joint1',
      fault: { kind: 'stuck-joint', joint: 'joint1', ...WHOLE },
    },
    {
      check: 'A06',
      stream: 'commands',
      channel: 'joint1',
      status: 'warn',
      fault: { kind: 'stuck-joint', joint: 'joint1', ...WHOLE },
    },
    { check: 'I10', stream: 'gripper', status: 'warn', fault: { kind: 'stuck-gripper', ...WHOLE } },
  ],
  [
    {
      check: 'C04',
      stream: 'gripper',
      fault: { kind: 'drop', topic: TOPICS.gripperState, ...window(2, 2.5) },
    },
    {
      check: 'T01',
      stream: 'wrist',
      channel: 'header.stamp',
      at: 6,
      fault: { kind: 'clock-step', stepSecs: -0.3, ...wrist, ...window(6, 60) },
    },
    {
      check: 'T05',
      stream: 'joints',
      fault: { kind: 'jitter', topic: TOPICS.jointStates, amplitudeSecs: 0.4 / 200, ...WHOLE },
    },
    {
      check: 'T06',
      stream: 'tactile',
      at: 3,
      fault: { kind: 'drop', topic: TOPICS.tactile, ...window(3, 1.2) },
    },
    {
      check: 'T07',
      stream: 'wrench',
      at: 4,
      fault: { kind: 'drop', topic: TOPICS.wrench, ...window(4, 0.6) },
    },
    {
      check: 'T10',
      stream: 'front',
      at: 4,
      fault: { kind: 'clock-step', stepSecs: 0.5, ...front, ...window(4, 60) },
    },
    {
      check: 'T11',
      stream: 'front',
      fault: { kind: 'clock-step', stepSecs: 0.5, ...front, ...window(4, 60) },
    },
  ],
  [
    // The arm itself goes on: what it touches meanwhile parts its standing still in two.
    {
      check: 'K11',
      stream: 'joints',
      status: 'warn',
      at: 1.2,
      fault: { kind: 'frozen-joints', ...window(1.2, 7) },
    },
  ],
  [
    { check: 'T15', stream: 'front', fault: { kind: 'clock-step', stepSecs: 0.27, ...front, ...WHOLE } },
    { check: 'T15', stream: 'wrist', fault: { kind: 'clock-step', stepSecs: -0.27, ...wrist, ...WHOLE } },
  ],
];

/** The faults of a group, each once. */
export function faultsOf(group: readonly PlantedFault[]): Fault[] {
  return [...new Map(group.map(({ fault }) => [JSON.stringify(fault), fault])).values()];
}

/** Whether a finding tells of a planted fault: check, status, stream, channel and time. */
export function isTold(row: PlantedFault, findings: readonly Finding[], startTime: bigint): boolean {
  return findings.some(({ check, status, stream, channel, window: where }) => {
    if (check !== row.check || status !== (row.status ?? 'fail') || stream !== row.stream) return false;
    if (row.channel !== undefined && channel !== row.channel) return false;
    if (row.at === undefined) return true;
    const secs = where ? Number(BigInt(where.startTime) - startTime) / 1e9 : Number.NaN;
    const lasts = 'forSecs' in row.fault ? row.fault.forSecs : 0;
    return secs > row.at - 0.6 && secs < row.at + Math.max(0.6, lasts);
  });
}

export async function demoContract(): Promise<Contract> {
  return (await readContract(`${import.meta.dirname}/contracts/demo-arm.yaml`)).contract;
}

/** What the simulated rig is like: from a take in which the gripper closes beside the block. */
export async function demoCalibration(
  contract: Contract,
  options: { readonly durationSecs?: number } = {},
): Promise<Calibration> {
  const collector = new RigCollector();
  const take = await recordTake({ seed: 101, faults: [{ kind: 'missed-grasp' }], ...options });
  await feedTake(take, new Feed(collector, { streams: [], contract }));
  return {
    kinescribe: 1,
    robot: contract.robot.model,
    episodeDigest: `sha256:${'0'.repeat(64)}`,
    time: '2026-01-01T00:00:00Z',
    ...collector.finish(),
    commandLagSecs: { commands: 0.055 },
  };
}

/** What checks say of a take, as if it had been recorded. */
export async function examineTake(
  take: Take,
  {
    checks,
    contract,
    calibration,
  }: { checks: readonly Check[]; contract: Contract; calibration: Calibration },
): Promise<readonly Finding[]> {
  const streams: CheckedStream[] = [];
  const [first, last] = [take.messages[0]!.logTime, take.messages.at(-1)!.logTime];
  const [task] = contract.episode.tasks;
  const examination = new Examination(checks, {
    contract,
    calibration,
    startTime: first,
    streams,
    events: [],
    task,
  });
  await feedTake(take, new Feed(examination, { streams, contract }));
  const content = checks.includes(CONTENT_CHECK) ? await contentOf(take, contract) : undefined;
  return examination.findings(last, {
    ...{ file: 'take.mcap', info: undefined, ledger: undefined, labels: currentLabels([]) },
    ...{ damages: [], frames: undefined, noFrames: undefined, content, peers: [] },
  });
}

/** As if every picture of the take had been looked at. */
async function contentOf(take: Take, contract: Contract): Promise<readonly ContentLag[]> {
  const series = new ContentSeries(contract);
  const feed = new Feed(
    { observe: (each) => series.observe(each), refused() {} },
    { streams: [], contract, lookWidth: 96 },
  );
  for (const [key, spec] of STREAMS.entries()) feed.channel(key, channelOf(spec));
  for (const { channelKey, logTime, publishTime = logTime, data } of take.messages) {
    const sampled = { bytes: data.byteLength, fingerprint: 0, data, isWhole: true };
    await feed.message(channelKey, { ...sampled, logTime, publishTime, sequence: 0 });
  }
  await feed.flush();
  return series.lags();
}

async function feedTake(take: Take, feed: Feed): Promise<void> {
  const samplers = STREAMS.map((spec, key) => {
    feed.channel(key, channelOf(spec));
    return new Sampler(channelOf(spec));
  });
  for (const { channelKey, logTime, publishTime = logTime, data } of take.messages) {
    const sampled = samplers[channelKey]!.sample(data, logTime);
    await feed.message(channelKey, { ...sampled, logTime, publishTime, sequence: 0 });
  }
  await feed.flush();
}
