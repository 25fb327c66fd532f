import { nanosToSecs } from '../../../schemas/time.ts';
import { LowerHull } from '../../lower-hull.ts';
import type { Check } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import type { CheckedStream } from '../subject.ts';
import { ClockStepWatch } from './clock-step-watch.ts';
import { rhythmOf } from './rhythm.ts';

const isStampedKind = ({ type }: CheckedStream) => !/TFMessage$/.test(type);

/** A drift needs this long to rise above the jitter of the fastest messages. */
const SHORTEST_DRIFT_SECS = 20;
/** Points that latencies are taken of at the end; every n-th message where there are more. */
const MOST_POINTS = 4096;

/** Stamps and how much later their messages were received, seconds since the first; constant memory. */
class Offsets {
  #points: (readonly [stampSecs: number, offsetSecs: number])[] = [];
  #stride = 1;
  #count = 0;
  #origin: { readonly stamp: bigint; readonly offset: bigint } | undefined;

  add(stamp: bigint, logTime: bigint): void {
    this.#origin ??= { stamp, offset: logTime - stamp };
    const point = [
      nanosToSecs(stamp - this.#origin.stamp),
      nanosToSecs(logTime - stamp - this.#origin.offset),
    ] as const;
    if (this.#count++ % this.#stride === 0) this.#points.push(point);
    if (this.#points.length < MOST_POINTS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  get count(): number {
    return this.#count;
  }

  /** Receive minus stamp of the first message, seconds. */
  get originSecs(): number {
    return nanosToSecs(this.#origin?.offset ?? 0n);
  }

  /** Of the points that are kept: the hull of thousands is a few dozen, and thinning hardly moves it. */
  hull(): LowerHull {
    const hull = new LowerHull();
    for (const point of this.#points) hull.add(...point);
    return hull;
  }

  /** How much later than the fastest messages the others came. */
  latencies(): QuantileSketch {
    const hull = this.hull();
    const { intercept, slope } = hull.span() < SHORTEST_DRIFT_SECS ? hull.floor() : hull.line();
    const sketch = new QuantileSketch();
    for (const [x, y] of this.#points) sketch.add(y - intercept - slope * x);
    return sketch;
  }
}

export const CLOCK_CHECKS: readonly Check[] = [
  {
    id: 'T09',
    title: 'clock drift',
    claim: 'RISK',
    runs: 'take',
    unit: 'ppm',
    limits: { warn: 50, fail: 200, validated: false },
    explain: {
      cause:
        'The sensor’s clock is free-running: a microcontroller’s crystal, or a computer without time service.',
      formula:
        'Slope of the lower convex hull of (stamp, receipt − stamp) at the mean stamp; needs 20 s. The hull follows the ' +
        'fastest messages, a regression follows the bursts. The offset holds the shortest latency and is only told.',
      remedy: 'chrony or PTP on both computers; else "clockOffset: estimate" in the contract.',
      example: 'wrench: its clock drifts by 120 ppm',
      source: 'Moon, Skelly and Towsley 1999; ados-clock; limit of our own',
    },
    watch: perStream(isStampedKind, () => {
      const offsets = new Offsets();
      return {
        observe({ sensorTime, logTime }) {
          if (sensorTime) offsets.add(sensorTime, logTime);
        },
        *findings(_, facts) {
          if (!facts || offsets.count === 0) return;
          const hull = offsets.hull();
          const span = hull.span();
          if (span < SHORTEST_DRIFT_SECS) {
            const reason = `its stamps span ${span.toFixed(1)} s; a drift needs ${SHORTEST_DRIFT_SECS} s to show`;
            yield { status: 'not_assessed', reason };
            return;
          }
          const { intercept, slope } = hull.line();
          const value = Math.abs(slope * 1e6);
          const evidence = { offsetSecs: offsets.originSecs + intercept, messages: offsets.count };
          yield { value, evidence, reason: `its clock drifts by ${value.toFixed(1)} ppm` };
        },
      };
    }),
  },
  {
    id: 'T10',
    title: 'clock step',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'ms',
    limits: { warn: 20, fail: 100, validated: false },
    explain: {
      cause: 'The sensor’s clock was set, or runs away, while it was recording.',
      formula:
        '|median(o, 1 s after) − median(o, 1 s before)| beyond 20 ms and 8 · MAD, o = receipt − stamp, where the stamps ' +
        'and not the receipts depart from the period.',
      remedy: 'Let the clock settle before recording; slew it (chrony) instead of stepping it.',
      example: 'front_camera: its clock stepped by 250 ms at 8.4 s',
      source: 'clockdoctor; limit of our own',
    },
    watch: perStream(isStampedKind, (stream) => {
      const watch = new ClockStepWatch(stream.contract?.rateHz);
      return {
        observe({ sensorTime, logTime }) {
          if (sensorTime) watch.add(sensorTime, logTime);
        },
        *findings() {
          if (watch.messages === 0) return;
          const { millis, window } = watch.largest;
          const reason = `its clock stepped by ${millis.toFixed(0)} ms`;
          yield { value: millis, window, evidence: { messages: watch.messages }, reason };
        },
      };
    }),
  },
  {
    id: 'T11',
    title: 'transport latency',
    claim: 'RISK',
    runs: 'take',
    unit: 'ms',
    limits: { validated: false },
    explain: {
      cause: 'Messages queue on the network or in a driver before they reach the recorder.',
      formula:
        'p95 of o − hull, o = receipt − stamp. Warns beyond one period, fails beyond three; at least 10 ms.',
      remedy: 'A wired network, best-effort QoS for large pictures, compression nearer to the sensor.',
      example: 'wrist_camera: messages wait up to 74 ms (p95) on their way',
      source: 'measured; limit of our own',
    },
    watch: perStream(
      (stream) => isStampedKind(stream) && stream.contract?.rateHz !== undefined,
      (stream) => {
        const offsets = new Offsets();
        const rhythm = rhythmOf(stream);
        return {
          observe(observation) {
            if (!observation.sensorTime) return;
            offsets.add(observation.sensorTime, observation.logTime);
            rhythm.add(observation);
          },
          *findings(_, facts) {
            const { period } = rhythm;
            if (!facts || offsets.count < 20 || period === undefined) return;
            const sketch = offsets.latencies();
            const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => sketch.quantile(share)! * 1000);
            const warn = Math.max(10, period * 1000);
            yield {
              value: p95!,
              limits: { warn, fail: 3 * warn },
              evidence: { p50: p50!, p99: p99!, messages: offsets.count },
              reason: `messages wait up to ${p95!.toFixed(0)} ms (p95) on their way`,
            };
          },
        };
      },
    ),
  },
];
