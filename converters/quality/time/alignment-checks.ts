import { nanosToSecs } from '../../../schemas/time.ts';
import type { Check, Watch } from '../check.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import { isPictureType } from '../stream-role.ts';
import type { CheckedStream } from '../subject.ts';

const NO_FRAMES = 'there is no contract to make frames by';

/** A camera that sends nothing for this long is left out of the sets of pictures until it sends again. */
const STALE_NANOS = 500_000_000n;

export const ALIGNMENT_CHECKS: readonly Check[] = [
  {
    id: 'T12',
    title: 'age in the frame',
    claim: 'RISK',
    runs: 'take',
    unit: 'ms',
    limits: { warn: 20, fail: 50, validated: true },
    explain: {
      cause: 'A stream is slow to arrive or slow to sample, so that frames hold old values of it.',
      formula:
        'Of every feature at every tick of the contract: tick − time of the value used. p95, less the period of its stream, ' +
        'which no transport can better.',
      remedy: 'Raise the stream’s rate, cut its latency, or lower the tick rate of the dataset.',
      example: 'observation.images.front: its values are up to 41 ms older than its rate explains (p95)',
      source: 'Kalanos (20 ms); deepen-grade (50 ms); less the period: our own',
    },
    watch: () => ({
      *findings(_, facts) {
        if (!facts) return;
        if (!facts.frames) {
          yield { status: 'not_assessed', reason: facts.noFrames ?? NO_FRAMES };
          return;
        }
        for (const { key, stream, p95AgeSecs, periodSecs, valid } of facts.frames.features) {
          if (p95AgeSecs === undefined) continue;
          const value = Math.max(0, p95AgeSecs - periodSecs) * 1000;
          const reason = `its values are up to ${value.toFixed(0)} ms older than its rate explains (p95)`;
          yield { value, stream, channel: key, evidence: { p95AgeSecs, periodSecs, valid }, reason };
        }
      },
    }),
  },
  {
    id: 'T13',
    title: 'skew between cameras',
    claim: 'RISK',
    runs: 'take',
    unit: 'periods',
    limits: { warn: 0.5, fail: 1, validated: false },
    explain: {
      cause: 'Cameras run free of each other, or one of them is stamped late.',
      formula:
        'p95 over the pictures of the slowest camera of the largest distance, in periods, to the nearest picture of ' +
        'each other camera, by stamps.',
      remedy: 'Trigger the cameras together, or synchronise their computers’ clocks.',
      example: 'the cameras’ pictures lie 0.7 periods apart (p95)',
      source: 'Kalanos; limit of our own',
    },
    watch: cameraSkew,
  },
  {
    id: 'T17',
    title: 'valid windows',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.95, fail: 0.5, bad: 'below', validated: false },
    explain: {
      cause: 'Gaps and late streams leave holes in the windows that training would take.',
      formula:
        'Share of the windows of the contract (observationSteps and horizon) in which every required feature of every ' +
        'frame is valid.',
      remedy: 'See T06, T07 and T12 for the stream that makes the holes.',
      example: '81 % of the windows are whole',
      source: 'Kalanos; limit of our own',
    },
    watch: () => ({
      *findings(_, facts) {
        if (!facts) return;
        if (!facts.frames) {
          yield { status: 'not_assessed', reason: facts.noFrames ?? NO_FRAMES };
          return;
        }
        const { windows, wholeWindows, frames } = facts.frames;
        if (windows === 0) {
          yield { status: 'not_assessed', reason: `${frames} frames are too few for one window` };
          return;
        }
        const value = wholeWindows / windows;
        const reason = `${(value * 100).toFixed(0)} % of the windows are whole`;
        yield { value, evidence: { windows, wholeWindows }, reason };
      },
    }),
  },
];

/** Stamps of the last second per camera; a picture of the reference waits until the others have passed it. */
function cameraSkew(): Watch {
  const cameras = new Map<CheckedStream, bigint[]>();
  const skews = new QuantileSketch();
  let waiting: bigint[] = [];
  let reference: CheckedStream | undefined;

  const settle = () => {
    waiting = waiting.filter((stamp) => {
      const others = [...cameras].filter(([stream]) => stream !== reference);
      if (others.some(([, stamps]) => stamps.at(-1)! < stamp && stamp - stamps.at(-1)! < STALE_NANOS))
        return true;
      const near = others.flatMap(([, stamps]) => {
        const distances = stamps.map((other) => Math.abs(nanosToSecs(other - stamp)));
        const nearest = Math.min(...distances);
        return nearest < nanosToSecs(STALE_NANOS) ? [nearest] : [];
      });
      if (near.length > 0) skews.add(Math.max(...near));
      return false;
    });
  };

  return {
    wants: ({ type, contract }) => isPictureType(type) && contract?.rateHz !== undefined,
    observe({ stream, sensorTime, logTime }) {
      const stamp = sensorTime ?? logTime;
      const stamps = cameras.get(stream) ?? [];
      cameras.set(stream, stamps);
      stamps.push(stamp);
      while (stamps.length > 1 && stamp - stamps[0]! > 2n * STALE_NANOS) stamps.shift();
      if (!reference || stream.contract!.rateHz! < reference.contract!.rateHz!)
        [reference, waiting] = [stream, []];
      if (stream === reference) waiting.push(stamp);
      if (waiting.length > 0) settle();
    },
    *findings(_, facts) {
      if (!facts) return;
      const p95 = skews.quantile(0.95);
      if (cameras.size < 2 || !reference || p95 === undefined) {
        yield {
          status: 'not_assessed',
          reason: 'it needs pictures of two cameras with rates in the contract',
        };
        return;
      }
      const value = p95 * reference.contract!.rateHz!;
      const evidence = { cameras: cameras.size, sets: skews.count, p95Secs: p95 };
      yield { value, evidence, reason: `the cameras’ pictures lie ${value.toFixed(2)} periods apart (p95)` };
    },
  };
}
