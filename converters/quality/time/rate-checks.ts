import { pauseSpans } from '../../../schemas/pause-spans.ts';
import { nanosToSecs, type TimeRange } from '../../../schemas/time.ts';
import type { Check, Judgement } from '../check.ts';
import type { EpisodeFacts } from '../episode-facts.ts';
import { perStream } from '../per-stream.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { explainedBy, overlapSecs } from './explained-gaps.ts';
import { mayBePeriodic, type Rhythm, rhythmOf } from './rhythm.ts';

/** What a judge of intervals knows besides them. */
interface RhythmContext {
  readonly stream: CheckedStream;
  readonly subject: Subject;
  /** Of the stream, seconds. */
  readonly period: number;
  readonly now: bigint;
  /** Absent while recording. */
  readonly facts: EpisodeFacts | undefined;
}

const FEWEST_MESSAGES = 5;
/** While recording, a silence shorter than this may be the recording machine's own. */
const DEAD_SECS = 0.25;

/** A check of periodic streams by their intervals. */
function ofRhythm(
  judge: (rhythm: Rhythm, context: RhythmContext) => Iterable<Judgement>,
  also: (stream: CheckedStream) => boolean = () => true,
): Check['watch'] {
  return (subject) => {
    const periodic = mayBePeriodic(subject);
    const begin = (stream: CheckedStream) => {
      const rhythm = rhythmOf(stream);
      return {
        observe: rhythm.add.bind(rhythm),
        *findings(now: bigint, facts?: EpisodeFacts): Generator<Judgement> {
          const { period } = rhythm;
          if (period !== undefined && rhythm.messages >= FEWEST_MESSAGES) {
            yield* judge(rhythm, { stream, subject, period, now, facts });
          } else if (facts) {
            const few = `only ${rhythm.messages} messages came`;
            yield { status: 'not_assessed', reason: period === undefined ? 'it has no steady rate' : few };
          }
        },
      };
    };
    return perStream((stream) => periodic(stream) && also(stream), begin)(subject);
  };
}

const percent = (share: number) => `${(share * 100).toFixed(share < 0.01 ? 2 : 1)} %`;

export const RATE_CHECKS: readonly Check[] = [
  {
    id: 'T04',
    title: 'effective rate',
    claim: 'DEFECT',
    runs: 'live',
    unit: '',
    limits: { warn: 0.1, fail: 0.25, validated: true },
    explain: {
      cause: 'The driver is set to another rate, or the computer or the bus cannot keep up with it.',
      formula:
        '|1 / median(Δt) − f0| / f0, with f0 of the contract; while recording over the last two seconds.',
      remedy: 'Set the driver to the rate of the contract, or correct "rateHz" if the robot is right.',
      example: 'front_camera: 15.0 Hz instead of 30.0 Hz',
      source: 'lerobot-lint; Kalanos',
    },
    watch: ofRhythm(function* (rhythm, { stream, period, facts }) {
      const median = rhythm.medianInterval({ isLive: !facts });
      if (median === undefined) return;
      if (!stream.contract?.rateHz) {
        yield {
          status: 'info',
          value: 0,
          reason: `${(1 / median).toFixed(1)} Hz; no contract says what it should be`,
        };
        return;
      }
      const value = Math.abs(period / median - 1);
      const evidence = { rateHz: 1 / median, messages: rhythm.messages };
      yield {
        value,
        evidence,
        reason: `${(1 / median).toFixed(1)} Hz instead of ${(1 / period).toFixed(1)} Hz`,
      };
    }),
  },
  {
    id: 'T05',
    title: 'jitter',
    claim: 'RISK',
    runs: 'take',
    unit: 'periods',
    limits: { warn: 0.25, fail: 0.5, validated: false },
    explain: {
      cause: 'Stamps are set by a busy program instead of by the sensor, or sampling itself is uneven.',
      formula: 'p95 of |Δt − T0| / T0 over the stamps; receive times for messages without stamps.',
      remedy: 'Stamp in the driver, at the sensor; give the driver a real-time priority; look at CPU load.',
      example: 'joints: intervals are off by up to 0.41 periods (p95)',
      source: 'Kalanos (5 ms at 100 Hz); rosbag-doctor; limit of our own',
    },
    watch: ofRhythm(function* (rhythm, { period, facts }) {
      if (!facts) return;
      const secs = rhythm.jitter(period, 0.95);
      const value = secs / period;
      const evidence = { p95Secs: secs, messages: rhythm.messages };
      yield { value, evidence, reason: `intervals are off by up to ${value.toFixed(2)} periods (p95)` };
    }),
  },
  {
    id: 'T06',
    title: 'dropped messages',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'share',
    limits: { warn: 0.01, fail: 0.05, validated: true },
    explain: {
      cause: 'The network or a queue between sensor and recorder overflows, or the sensor skips samples.',
      formula:
        'Σ max(0, round(Δt / T0) − 1) / expected, where Δt > 1.5 · T0; Δt by stamps and by receipt, the smaller; one ' +
        'less for each message within T0 / 2 of the one before, which was late; not in marked pauses.',
      remedy: 'Reliable QoS, larger receive buffers, a wired network; fewer or smaller pictures.',
      example: 'wrist_camera: 3.2 % of its messages are missing',
      source: 'Kalanos; lerobot-lint',
    },
    watch: ofRhythm(function* (rhythm, { period, ...context }) {
      const paused = rhythm
        .gaps()
        .filter((gap) => explainedBy(gap, { ...context, limitSecs: 3 * period }) === 'pause');
      const missing = rhythm.missing(period, paused);
      const value = missing / (missing + rhythm.messages);
      const gap = rhythm.gaps().find((each) => !paused.includes(each));
      const window = gap && missing > 0 ? gap : undefined;
      const evidence = { missing, messages: rhythm.messages };
      yield {
        value,
        window: windowOf(window),
        evidence,
        reason: `${percent(value)} of its messages are missing`,
      };
    }),
  },
  {
    id: 'T07',
    title: 'longest gap',
    claim: 'DEFECT',
    runs: 'live',
    unit: 's',
    limits: { validated: false },
    explain: {
      cause: 'A cable, a driver or a network connection broke for a moment, or the sensor restarted.',
      formula:
        'max Δt, by stamps and by receipt the smaller. Warns beyond maxGapSecs of the contract, else 3 · T0; fails ' +
        'beyond 0.25 s too. Gaps that the recorder itself or a marked pause explains are left to C07.',
      remedy: 'Look at the cable and at the driver’s log at that time; record the take again.',
      example: 'front_camera: no message for 0.82 s at 12.3 s',
      source: 'deepen-grade (3 periods); limit of our own',
    },
    watch: ofRhythm(function* (rhythm, { stream, subject, period, now, facts }) {
      const warn = stream.contract?.maxGapSecs ?? 3 * period;
      const limits = {
        warn,
        fail: Math.max(warn, 0.25),
        ...(stream.contract?.maxGapSecs && { origin: 'contract' as const }),
      };
      const silence = {
        secs: Number(now - rhythm.lastLogTime!) / 1e9,
        startTime: rhythm.lastLogTime!,
        endTime: now,
      };
      const context = { stream, subject, limitSecs: warn, now, facts };
      const known = rhythm.gaps().filter((gap) => !explainedBy(gap, context));
      const longest = known[0];
      const isOpen =
        !facts && silence.secs > Math.max(warn, DEAD_SECS) && silence.secs > (longest?.secs ?? 0);
      const gap = isOpen ? silence : longest;
      yield {
        value: gap?.secs ?? 0,
        limits,
        window: gap && gap.secs > warn ? windowOf(gap) : undefined,
        evidence: { gaps: known.filter(({ secs }) => secs > warn).length, messages: rhythm.messages },
        reason: `no message for ${(gap?.secs ?? 0).toFixed(2)} s`,
      };
    }),
  },
  {
    id: 'T08',
    title: 'coverage',
    claim: 'DEFECT',
    runs: 'take',
    unit: 's',
    limits: { warn: 0.25, fail: 0.5, validated: false },
    explain: {
      cause: 'The sensor was started after the recording, or stopped before its end.',
      formula:
        'The larger of first message − start and end − last message; slow streams may take 1.5 periods; marked ' +
        'pauses do not count.',
      remedy: 'Start a take when every stream shows its rate; look whether the driver has ended.',
      example: 'wrench: its last message came 4.10 s before the end',
      source: 'clockdoctor; rosbag-doctor; limit of our own',
    },
    watch: ofRhythm(function* (rhythm, { subject, period, now, facts }) {
      if (!facts) return;
      const pauses = pauseSpans(subject.events, now);
      const silence = (range: TimeRange) =>
        nanosToSecs(range.endTime - range.startTime) - overlapSecs(range, pauses);
      const late = silence({ startTime: subject.startTime, endTime: rhythm.firstLogTime! });
      const early = silence({ startTime: rhythm.lastLogTime!, endTime: now });
      const isLate = late > early;
      const value = Math.max(late, early, 0);
      const slow = 1.5 * period;
      const limits = slow > 0.25 ? { warn: slow, fail: Math.max(0.5, 2 * slow) } : undefined;
      const window = isLate
        ? { startTime: subject.startTime, endTime: rhythm.firstLogTime! }
        : { startTime: rhythm.lastLogTime!, endTime: now };
      const reason = isLate
        ? `its first message came ${value.toFixed(2)} s after the start`
        : `its last message came ${value.toFixed(2)} s before the end`;
      yield { value, ...(limits && { limits }), window, reason, evidence: { late, early } };
    }),
  },
  {
    id: 'T16',
    title: 'control-loop cadence',
    claim: 'RISK',
    runs: 'live',
    unit: 'share',
    limits: { warn: 0.01, fail: 0.05, validated: true },
    explain: {
      cause:
        'The controller’s loop takes longer than its period: inference, garbage collection, a blocking read.',
      formula: 'Share of command intervals longer than 1.5 · T0.',
      remedy: 'Take what blocks out of the loop, or lower its rate.',
      example: 'commands: 2.1 % of its ticks come late',
      source: 'LeRobot’s cadence report',
    },
    watch: ofRhythm(
      function* (rhythm, { period }) {
        const value = rhythm.shareAbove(1.5 * period);
        const median = rhythm.medianInterval({ isLive: false });
        const evidence = { messages: rhythm.messages, ...(median && { rateHz: 1 / median }) };
        yield { value, evidence, reason: `${percent(value)} of its ticks come late` };
      },
      ({ role }) => role === 'command',
    ),
  },
];

function windowOf(gap: { readonly startTime: bigint; readonly endTime: bigint } | undefined) {
  return gap && { startTime: gap.startTime, endTime: gap.endTime };
}
