import { nanosToSecs, secsToNanos } from '../../../schemas/time.ts';
import type { Check, Judgement, Watch } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { checkedStream, fullTypeName, isPictureType } from '../stream-role.ts';
import type { CheckedStream } from '../subject.ts';
import { explainedBy } from '../time/explained-gaps.ts';
import { rhythmOf } from '../time/rhythm.ts';

/** A stream may take this long to show after the start. */
const PATIENCE = secsToNanos(2);

/** Checks of which streams there are and how much of them. */
export const STREAM_CHECKS: readonly Check[] = [
  {
    id: 'C02',
    title: 'required stream missing',
    claim: 'DEFECT',
    runs: 'live',
    unit: '',
    explain: {
      cause: 'The driver is not running, or publishes under another topic.',
      formula: 'Required streams of the contract without a message; while recording after two seconds.',
      remedy: 'Start the driver; compare topics with "kinescribe contract check".',
      example: 'wrist_camera: it never sent a message',
      source: 'tracecheck; baglint',
    },
    watch: (subject) => {
      const heard = new Set<string>();
      return {
        wants: ({ contract }) => contract !== undefined,
        observe: ({ stream }) => void heard.add(stream.name),
        *findings(now, facts): Generator<Judgement> {
          const { contract } = subject;
          if (!contract) {
            if (facts)
              yield { status: 'not_assessed', reason: 'no contract says which streams must be there' };
            return;
          }
          if (!facts && now - subject.startTime < PATIENCE) return;
          const missing = Object.entries(contract.streams).filter(
            ([name, { required }]) => required && !heard.has(name),
          );
          for (const [, { topic, type }] of missing) {
            const stream = checkedStream(topic, type, contract);
            const window = { startTime: subject.startTime, endTime: now };
            yield { status: 'fail', stream, window, reason: 'it never sent a message' };
          }
          if (missing.length > 0) return;
          const evidence = { streams: heard.size };
          yield { status: 'pass', evidence, reason: 'every required stream was there' };
        },
      };
    },
  },
  {
    id: 'C03',
    title: 'type mismatch',
    claim: 'DEFECT',
    runs: 'live',
    unit: '',
    explain: {
      cause: 'Another node publishes on the topic, or the contract is out of date.',
      formula: 'Message type of the topic is not that of the contract, or one topic has two types.',
      remedy: 'Correct the contract’s "type", or give the second publisher another topic.',
      example: 'wrench: it sends std_msgs/msg/String, the contract says geometry_msgs/msg/WrenchStamped',
      source: 'deepen-grade; rosbag-doctor',
    },
    watch: (subject) => ({
      *findings() {
        for (const [, streams] of Map.groupBy(subject.streams, ({ topic }) => topic)) {
          const [stream] = streams;
          const types = [...new Set(streams.map(({ type }) => fullTypeName(type)))];
          const expected = stream!.contract && fullTypeName(stream!.contract.type);
          if (types.length > 1) {
            yield { status: 'fail', stream, reason: `it sends ${types.length} types: ${types.join(', ')}` };
          } else if (expected && types[0] !== expected) {
            yield { status: 'fail', stream, reason: `it sends ${types[0]}, the contract says ${expected}` };
          } else if (expected) {
            yield { status: 'pass', stream, reason: `it sends ${expected}` };
          }
        }
      },
    }),
  },
  {
    id: 'C04',
    title: 'message count',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.95, fail: 0.9, bad: 'below', validated: true },
    explain: {
      cause: 'The stream was slower than the contract says, lost messages, or ended early.',
      formula: 'Messages / (rate of the contract · duration of the episode, less gaps in marked pauses).',
      remedy: 'T04, T06, T07 and T08 say which of the three it was.',
      example: 'front_camera: 1612 messages, 90 % of what its rate promises',
      source: 'baglint; rosbag-doctor',
    },
    watch: perStream(
      ({ contract }) => contract?.rateHz !== undefined,
      (stream, subject) => {
        const rhythm = rhythmOf(stream);
        const rateHz = stream.contract!.rateHz!;
        return {
          observe: rhythm.add.bind(rhythm),
          *findings(now, facts) {
            const { messages } = rhythm;
            const context = { stream, subject, limitSecs: 3 / rateHz, now, facts };
            const paused = rhythm.gaps().filter((gap) => explainedBy(gap, context) === 'pause');
            const silent = paused.reduce((sum, { secs }) => sum + secs, 0);
            const expected = (nanosToSecs(now - subject.startTime) - silent) * rateHz;
            if (!facts || expected < 1) return;
            // Both ends of the take may cut off a period.
            const value = Math.min(1, (messages + 1) / expected);
            const share = `${(value * 100).toFixed(0)} % of what its rate promises`;
            yield { value, evidence: { messages, expected }, reason: `${messages} messages, ${share}` };
          },
        };
      },
    ),
  },
  {
    id: 'C05',
    title: 'lost messages',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.001, fail: 0.01, validated: true },
    explain: {
      cause: 'The middleware dropped messages between publisher and recorder.',
      formula:
        'Holes in the publisher’s sequence numbers / messages sent, where the recording has such numbers.',
      remedy: 'Reliable QoS or a deeper queue; a larger receive buffer.',
      example: 'joints: 0.4 % of what was published is missing',
      source: 'tracecheck',
    },
    watch: publisherNumbers,
  },
  {
    id: 'C08',
    title: 'NaN, infinite or missing numbers',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'share',
    limits: { warn: 0.005, fail: 0.05, validated: true },
    explain: {
      cause: 'A sensor reports a fault as NaN, or a division by zero in the controller.',
      formula:
        'Share of messages with a number that is NaN or infinite, per field. In commands any is a failure. Fields ' +
        'that no feature of the contract uses are only told.',
      remedy: 'Look at the driver at that time; leave the field out of the contract if it is never filled.',
      example: 'joints: effort holds 12.0 % numbers that are none',
      source: 'Kalanos; lerobot-doctor',
    },
    watch: perStream(isNumeric, (stream, subject) => {
      const fields = new Map<string, { bad: number; of: number; first: bigint | undefined }>();
      const used = usedFields(stream, subject.contract?.features);
      return {
        observe({ value, logTime }) {
          for (const [field, content] of Object.entries(value ?? {})) {
            if (field === 'header') continue;
            const bad = nonFinite(content);
            if (bad === undefined) continue;
            const count = fields.get(field) ?? { bad: 0, of: 0, first: undefined };
            fields.set(field, count);
            count.of++;
            if (bad) {
              count.bad++;
              count.first ??= logTime;
            }
          }
        },
        *findings() {
          for (const [channel, { bad, of, first }] of fields) {
            const value = bad / of;
            const isCommand = stream.role === 'command';
            const isUsed = used === undefined || used.has(channel);
            const window = first === undefined ? undefined : { startTime: first, endTime: first + 1n };
            const reason = `${channel} holds ${(value * 100).toFixed(1)} % numbers that are none`;
            const judgement: Judgement = { value, channel, window, evidence: { messages: of, bad }, reason };
            if (bad > 0 && !isUsed) yield { ...judgement, status: 'info' };
            else yield isCommand ? { ...judgement, limits: { warn: 0, fail: 0 } } : judgement;
          }
        },
      };
    }),
  },
  {
    id: 'C09',
    title: 'change of names or dimensions',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'changes',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'Two publishers share a topic, or a gripper’s joints come and go.',
      formula:
        'Messages whose set of names, or whose length, is another than the first one’s. Another order is none.',
      remedy: 'Give every publisher its own topic.',
      example: 'joints: 14 messages name other joints than the first one',
      source: 'deepen-grade',
    },
    watch: perStream(
      ({ type }) => /\/(JointState|JointTrajectory|\w+MultiArray|TactileArray)$/.test(type),
      () => {
        let [known, key] = ['', ''];
        let changes = 0;
        let messages = 0;
        let first: bigint | undefined;
        return {
          observe({ value, logTime }) {
            if (!value) return;
            messages++;
            const names = value.name ?? value.joint_names;
            const raw = Array.isArray(names) ? names.join() : `${lengthOf(value.data ?? value.pressure)}`;
            if (raw === key) return;
            key = raw;
            const shape = raw.split(',').sort().join();
            if (known && shape !== known) {
              changes++;
              first ??= logTime;
            }
            known ||= shape;
          },
          *findings() {
            if (messages === 0) return;
            const window = first === undefined ? undefined : { startTime: first, endTime: first + 1n };
            const reason =
              changes > 0 ? `names or length change ${changes} times` : 'names and length stay the same';
            yield { value: changes, window, evidence: { messages }, reason };
          },
        };
      },
    ),
  },
];

interface Numbers {
  readonly seen: { messages: number; lost: number; repeats: number };
  last: number;
  firstHole: bigint | undefined;
}

/** Some writers number the messages of a whole file: such numbers say nothing of a publisher. */
function publisherNumbers(): Watch {
  const streams = new Map<CheckedStream, Numbers>();
  const overall = { last: -1, lastStream: undefined as CheckedStream | undefined, next: 0, changes: 0 };
  return {
    wants: () => true,
    observe({ stream, sequence, logTime }) {
      if (overall.lastStream && overall.lastStream !== stream) {
        overall.changes++;
        if (sequence === overall.last + 1) overall.next++;
      }
      Object.assign(overall, { last: sequence, lastStream: stream });
      const known = streams.get(stream);
      if (!known) {
        const seen = { messages: 1, lost: 0, repeats: 0 };
        streams.set(stream, { seen, last: sequence, firstHole: undefined });
        return;
      }
      known.seen.messages++;
      if (sequence <= known.last) known.seen.repeats++;
      else if (sequence > known.last + 1) {
        known.seen.lost += sequence - known.last - 1;
        known.firstHole ??= logTime;
      }
      known.last = sequence;
    },
    *findings(_, facts): Generator<Judgement> {
      if (!facts) return;
      const isOfFile = overall.changes > 10 && overall.next > overall.changes / 2;
      for (const [stream, { seen, firstHole }] of streams) {
        if (stream.role === 'context') continue;
        if (facts.info) {
          yield {
            status: 'not_assessed',
            stream,
            reason: 'its numbers are the recorder’s, whose losses C06 tells',
          };
        } else if (isOfFile || seen.repeats > 0 || seen.messages < 2) {
          yield {
            status: 'not_assessed',
            stream,
            reason: 'its messages are not numbered by their publisher',
          };
        } else {
          const value = seen.lost / (seen.lost + seen.messages);
          const window =
            firstHole === undefined ? undefined : { startTime: firstHole, endTime: firstHole + 1n };
          const reason = `${(value * 100).toFixed(2)} % of what was published is missing`;
          yield { value, stream, window, evidence: seen, reason };
        }
      }
    },
  };
}

/** Pictures and texts hold no numbers that could be none; clouds are too large to be read whole. */
function isNumeric({ type, role }: CheckedStream): boolean {
  return !isPictureType(type) && role !== 'context' && role !== 'perception';
}

/** First field of every feature of a stream; undefined where no contract names any. */
function usedFields(
  { name }: CheckedStream,
  features: Readonly<Record<string, object>> | undefined,
): ReadonlySet<string> | undefined {
  if (!features) return undefined;
  const own = Object.values(features).filter((each) => 'stream' in each && each.stream === name);
  const paths = own.flatMap((each) => ('field' in each && each.field ? [each.field].flat() : []));
  return new Set(paths.map((path) => /^\w+/.exec(String(path))?.[0] ?? ''));
}

/** Whether a field holds a number that is none; undefined where it holds no numbers. */
function nonFinite(content: unknown): boolean | undefined {
  if (typeof content === 'number') return !Number.isFinite(content);
  if (content instanceof Float64Array || content instanceof Float32Array) {
    if (content.length === 0) return undefined;
    for (let i = 0; i < content.length; i++) if (!Number.isFinite(content[i]!)) return true;
    return false;
  }
  if (typeof content !== 'object' || content === null || ArrayBuffer.isView(content)) return undefined;
  const parts = Object.values(content)
    .map(nonFinite)
    .filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.includes(true);
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) || value instanceof Float64Array || value instanceof Float32Array
    ? value.length
    : -1;
}
