import { nanosToSecs } from '../../../schemas/time.ts';
import type { Check, Judgement } from '../check.ts';
import type { Observation } from '../observation.ts';
import { perStream, type StreamWatch } from '../per-stream.ts';

interface Place {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Counts pairs of neighbouring messages, on the stamps and on the receive times separately. */
function pairCounter(
  isBad: (nanos: bigint) => boolean,
  judge: (bad: number, of: number) => Omit<Judgement, 'stream' | 'channel' | 'window'>,
): () => StreamWatch {
  return () => {
    const clocks = (['header.stamp', 'receive time'] as const).map((channel) => ({
      channel,
      last: undefined as bigint | undefined,
      bad: 0,
      count: 0,
      first: undefined as Place | undefined,
    }));
    return {
      observe({ sensorTime, logTime }) {
        for (const clock of clocks) {
          const time = clock.channel === 'header.stamp' ? sensorTime : logTime;
          if (time === undefined) continue;
          if (clock.last !== undefined && isBad(time - clock.last)) {
            clock.bad++;
            clock.first ??= { startTime: logTime, endTime: logTime + 1n };
          }
          clock.last = time;
          clock.count++;
        }
      },
      *findings() {
        for (const { channel, bad, count, first } of clocks) {
          if (count > 0) yield { ...judge(bad, count), channel, window: first };
        }
      },
    };
  };
}

/** Latched topics are written again at every start, and several transforms share one topic. */
const isOrdinary = ({ type }: { readonly type: string }) => !/TFMessage$/.test(type);

export const STAMP_CHECKS: readonly Check[] = [
  {
    id: 'T01',
    title: 'backwards stamps',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'messages',
    limits: { fail: 0, validated: true },
    explain: {
      cause:
        'The sensor’s clock was set back, two publishers share a topic, or messages overtook each other.',
      formula: 'Number of messages with Δt < 0, on header stamps and on receive times separately.',
      remedy: 'Synchronise the clocks before recording (chrony, PTP); give every publisher its own topic.',
      example: 'joints: 3 messages are stamped before the one that came before them',
      source: 'lerobot-lint; Kalanos',
    },
    watch: perStream(
      isOrdinary,
      pairCounter(
        (nanos) => nanos < 0n,
        (bad, of) => ({
          value: bad,
          evidence: { messages: of },
          reason: `${bad} messages are stamped before the one that came before them`,
        }),
      ),
    ),
  },
  {
    id: 'T02',
    title: 'repeated stamps',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'share',
    limits: { warn: 0, fail: 0.01, validated: true },
    explain: {
      cause: 'A driver publishes the same sample again, or stamps with a clock that is too coarse.',
      formula: 'Share of messages with Δt = 0, on header stamps and on receive times separately.',
      remedy: 'Publish only new samples; stamp with nanoseconds.',
      example: 'wrench: 2.0 % of its messages repeat a stamp',
      source: 'lerobot-lint',
    },
    watch: perStream(
      isOrdinary,
      pairCounter(
        (nanos) => nanos === 0n,
        (bad, of) => ({
          value: bad / of,
          evidence: { repeated: bad, messages: of },
          reason: `${((bad / of) * 100).toFixed(2)} % of its messages repeat a stamp`,
        }),
      ),
    ),
  },
  {
    id: 'T03',
    title: 'implausible stamp',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'messages',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'The header is not filled in, or the sensor’s computer has a wrong date.',
      formula:
        'Messages whose stamp is 0, or further than 10 s from their receipt while the contract says that both clocks ' +
        'are the same (no "clockOffset: estimate").',
      remedy: 'Fill in header.stamp; set the computer’s clock; or declare "clockOffset: estimate".',
      example: 'wrist_camera: 210 messages have no stamp',
      source: 'rosbag-doctor',
    },
    watch: perStream(isOrdinary, (stream, subject) => {
      const counts = { zero: 0, far: 0, messages: 0 };
      let first: Place | undefined;
      const isSameClock = stream.contract !== undefined && stream.contract.clockOffset === undefined;
      return {
        observe({ sensorTime, logTime }: Observation) {
          if (sensorTime === undefined || logTime < subject.startTime) return;
          counts.messages++;
          const isZero = sensorTime === 0n;
          const isFar = !isZero && isSameClock && Math.abs(nanosToSecs(logTime - sensorTime)) > 10;
          if (isZero) counts.zero++;
          if (isFar) counts.far++;
          if (isZero || isFar) first ??= { startTime: logTime, endTime: logTime + 1n };
        },
        *findings() {
          if (counts.messages === 0) return;
          const { zero, far } = counts;
          const parts = [
            ...(zero > 0 ? [`${zero} messages have no stamp`] : []),
            ...(far > 0 ? [`${far} messages are stamped more than 10 s from their receipt`] : []),
          ];
          const reason = parts.join(', ') || 'all stamps are plausible';
          yield { value: zero + far, evidence: counts, window: first, reason };
        },
      };
    }),
  },
  {
    id: 'T14',
    title: 'reconstructed clock',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: 'periods',
    explain: {
      cause: 'The recording was converted from a dataset that keeps frame numbers instead of times.',
      formula:
        'max |Δt − T0| / T0 of the receive times < 0.0001 over at least 100 messages. T04–T06 and T09–T13 say nothing then.',
      remedy: 'Record with times: nothing can bring them back.',
      example: 'joints: its times are evenly spaced to the last digit',
      source: 'Kalanos',
    },
    watch: perStream(isOrdinary, () => {
      let [last, least, most, count] = [undefined as bigint | undefined, Number.POSITIVE_INFINITY, 0, 0];
      return {
        observe({ logTime }) {
          if (last !== undefined) {
            const secs = nanosToSecs(logTime - last);
            least = Math.min(least, secs);
            most = Math.max(most, secs);
            count++;
          }
          last = logTime;
        },
        *findings(_, facts) {
          if (!facts || count < 100) return;
          const spread = (most - least) / ((most + least) / 2);
          const isMade = spread < 1e-4;
          const reason = isMade ? 'its times are evenly spaced to the last digit' : 'its times were measured';
          yield { status: isMade ? 'info' : 'pass', value: spread, evidence: { intervals: count }, reason };
        },
      };
    }),
  },
];
