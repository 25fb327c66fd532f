import { parseContract } from '../../schemas/contract-file.ts';
import type { Finding } from '../../schemas/finding.ts';
import { currentLabels } from '../../schemas/labels.ts';
import type { ChannelSpec, MessageValue } from '../../schemas/message.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp, secsToNanos } from '../../schemas/time.ts';
import { EPOCH, testChannel } from '../episode.fixture.ts';
import type { Check } from './check.ts';
import type { EpisodeFacts } from './episode-facts.ts';
import { Examination } from './examination.ts';
import { Feed } from './feed.ts';
import { Sampler } from './sampler.ts';
import type { CheckedStream, Subject } from './subject.ts';

/** A small robot for tests of checks: joints, their commands, a force sensor and two cameras that show nothing. */
export const RIG = parseContract(
  `kinescribe: 1
name: rig
robot: { model: rig }
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 100 }
  commands: { topic: /commands, role: command, type: sensor_msgs/msg/JointState, rateHz: 50 }
  wrench: { topic: /wrench, role: interaction, type: geometry_msgs/msg/WrenchStamped, rateHz: 200, maxGapSecs: 0.05 }
  left: { topic: /left, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30 }
  right: { topic: /right, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30 }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [2], toleranceSecs: 0.1, unit: rad }
  observation.wrench: { kind: vector, stream: wrench, field: wrench.force, shape: [3], toleranceSecs: 0.1 }
  action: { kind: vector, stream: commands, field: position, shape: [2], toleranceSecs: 0.1, unit: rad, actionSpace: abs_pos }
samples: { tickRateHz: 20, horizon: 10 }
episode: { tasks: [pick up the cup] }
`,
  'rig.yaml',
).contract;

export type RigStream = 'joints' | 'commands' | 'wrench' | 'left' | 'right';

/** One message on its way; times are seconds after the start. */
export interface RigMessage {
  readonly stream: RigStream;
  readonly stamp: number;
  readonly log: number;
  readonly value: MessageValue;
  /** Of the publisher. @default its place in the take */
  readonly sequence?: number;
}

/** Mulberry32: the same seed, the same numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where a joint is, radians: at rest for 0.2 s at both ends, to and fro in between. */
export function position(secs: number, durationSecs: number): number {
  const from = 0.2;
  const to = durationSecs - 0.2;
  const share = Math.min(1, Math.max(0, (secs - from) / (to - from)));
  return Math.sin(share * Math.PI * 3 - Math.PI / 2);
}

/** What the rig sends when all is well, in order of arrival. */
export function cleanTake({
  seed = 1,
  durationSecs = 10,
  streams = ['joints', 'commands', 'wrench', 'left', 'right'] as readonly RigStream[],
} = {}): RigMessage[] {
  const next = random(seed);
  const messages = streams.flatMap((stream) => {
    const rateHz = RIG.streams[stream]!.rateHz!;
    const phase = next() / rateHz;
    let last = 0;
    return Array.from({ length: Math.floor(durationSecs * rateHz) }, (_, i): RigMessage => {
      const stamp = (i + phase + 0.05 * (next() - 0.5)) / rateHz;
      // Transport takes two milliseconds and, now and then, a few more.
      const log = Math.max(stamp + 0.002 - 0.001 * Math.log(1 - next()), last + 1e-5);
      last = log; // no message overtakes another of its stream
      return { stream, stamp, log, value: messageOf(stream, stamp, { durationSecs, next }) };
    });
  });
  return inOrder(messages.filter(({ log }) => log < durationSecs));
}

export function inOrder(messages: readonly RigMessage[]): RigMessage[] {
  return messages.toSorted((a, b) => a.log - b.log);
}

function messageOf(
  stream: RigStream,
  secs: number,
  { durationSecs, next }: { readonly durationSecs: number; readonly next: () => number },
): MessageValue {
  const noise = () => 1e-4 * (next() - 0.5);
  const q = position(secs, durationSecs);
  switch (stream) {
    case 'joints':
      return { name: ['a', 'b'], position: [q + noise(), q / 2 + noise()], velocity: [], effort: [] };
    case 'commands': {
      const ahead = position(secs + 0.03, durationSecs);
      return { name: ['a', 'b'], position: [ahead, ahead / 2], velocity: [], effort: [] };
    }
    case 'wrench':
      return {
        wrench: {
          force: { x: noise(), y: noise(), z: 1 + noise() },
          torque: { x: noise(), y: noise(), z: noise() },
        },
      };
    case 'left':
    case 'right':
      return { format: 'none', data: new Uint8Array(8) };
    default:
      return stream satisfies never;
  }
}

export interface ExamineOptions {
  readonly checks: readonly Check[];
  /** @default 10 s */
  readonly endSecs?: number;
  /** What the finished file says. @default a sound file without a word */
  readonly facts?: Partial<EpisodeFacts>;
  /** What the operator said. @default nothing */
  readonly events?: Subject['events'];
  /** What is known of the rig. @default nothing */
  readonly calibration?: Subject['calibration'];
  /** What the contract says of limits. @default nothing */
  readonly limits?: NonNullable<Subject['contract']>['checks'];
  /** Looks while recording, after every so many seconds. */
  readonly look?: {
    readonly everySecs: number;
    readonly at: (secs: number, findings: readonly Finding[]) => void;
  };
}

/** Runs checks over messages as if they had been recorded. */
export async function examine(
  messages: readonly RigMessage[],
  { checks, endSecs = 10, facts = {}, events = [], calibration, limits, look }: ExamineOptions,
): Promise<readonly Finding[]> {
  const streams: CheckedStream[] = [];
  const subject = {
    contract: limits ? { ...RIG, checks: limits } : RIG,
    calibration,
    startTime: EPOCH,
    events,
    streams,
    task: 'pick up the cup',
  };
  const examination = new Examination(checks, subject);
  const feed = new Feed(examination, { streams, contract: RIG });
  const channels = new Map<
    RigStream,
    { key: number; sampler: Sampler; encode: (value: MessageValue) => Uint8Array }
  >();
  let nextLook = look?.everySecs ?? Number.POSITIVE_INFINITY;
  for (const [index, { stream, stamp, log, value, sequence = index }] of messages.entries()) {
    let channel = channels.get(stream);
    if (!channel) {
      const { topic, type } = RIG.streams[stream]!;
      const spec: ChannelSpec = testChannel(topic, type);
      channel = {
        key: channels.size,
        sampler: new Sampler(spec),
        encode: createEncoder(topic, spec.schema!),
      };
      channels.set(stream, channel);
      feed.channel(channel.key, spec);
    }
    const header = { stamp: nanosToStamp(EPOCH + secsToNanos(stamp)), frame_id: '' };
    const logTime = EPOCH + secsToNanos(log);
    const sampled = channel.sampler.sample(channel.encode({ header, ...value }), logTime);
    for (; log > nextLook; nextLook += look!.everySecs) {
      look!.at(nextLook, examination.findings(EPOCH + secsToNanos(nextLook)));
    }
    await feed.message(channel.key, { ...sampled, logTime, publishTime: logTime, sequence });
  }
  await feed.flush();
  for (; look && nextLook <= endSecs; nextLook += look.everySecs) {
    look.at(nextLook, examination.findings(EPOCH + secsToNanos(nextLook)));
  }
  return examination.findings(EPOCH + secsToNanos(endSecs), { ...SOUND_FILE, ...facts });
}

/** Facts of a file of which there is nothing to say. */
export const SOUND_FILE: EpisodeFacts = {
  file: 'take.mcap',
  info: undefined,
  ledger: { totals: [], losses: [] },
  labels: currentLabels([]),
  damages: [],
  frames: undefined,
  noFrames: undefined,
  content: undefined,
  peers: [],
};

/** Seconds after the start of what a finding points at. */
export function placeOf({ window }: Finding): number | undefined {
  return window && Number(window.startTime - EPOCH) / 1e9;
}
