import type { Calibration } from '../../schemas/calibration.ts';
import { entryOf } from './entry-of.ts';
import { isWrench, type Wrench, wrenchOf } from './interaction/wrench.ts';
import { isJointType, type JointSample, jointSample } from './joint-sample.ts';
import type { Observation } from './observation.ts';
import { median, medianDeviation, quantile, SIGMAS_PER_MAD } from './robust.ts';
import { differenceHash, sharpness } from './vision/luma-measures.ts';
import { isBright, isCamera, lumaOf } from './vision/per-camera.ts';
import { viewOf } from './vision/picture-shift.ts';

/** The baseline of a force sensor follows this slowly, seconds (catalogue, c2). */
const BASELINE_SECS = 1;
/** A robot that is calibrated begins at rest. */
const REST_NANOS = 500_000_000n;
/** Pictures whose hashes are kept per camera, evenly over the episode. */
const MOST_HASHES = 8;

/** Where a joint was: radians or metres. */
export interface JointRange {
  readonly home: number;
  min: number;
  max: number;
  /** How far it went from home while it should have rested. */
  resting: number;
}

interface Joints {
  readonly startTime: bigint;
  readonly ranges: Map<string, JointRange>;
}

interface Camera {
  readonly sharpness: number[];
  readonly hashes: string[];
  view: string;
}

/** Gathers what a rig's calibration holds while its episode is read. */
export class RigCollector {
  readonly #wrenches = new Map<string, { readonly time: bigint; readonly wrench: Wrench }[]>();
  readonly #cameras = new Map<string, Camera>();
  readonly #joints = new Map<string, Joints>();
  readonly #depths = new Set<string>();

  observe(observation: Observation): void {
    const { stream, picture, logTime, sensorTime = logTime } = observation;
    if (isWrench(stream)) {
      const wrench = wrenchOf(observation);
      const known = this.#wrenches.get(stream.name) ?? [];
      this.#wrenches.set(stream.name, known);
      if (wrench) known.push({ time: sensorTime, wrench });
    } else if (isCamera(stream) && picture && isBright(picture)) {
      const luma = lumaOf(picture);
      const camera = this.#cameras.get(stream.name) ?? { sharpness: [], hashes: [], view: viewOf(luma) };
      this.#cameras.set(stream.name, camera);
      camera.sharpness.push(sharpness(luma));
      camera.hashes.push(differenceHash(luma));
    } else if (isCamera(stream) && picture?.depth) this.#depths.add(stream.name);
    else if (stream.role === 'motion' && isJointType(stream.type)) {
      const sample = jointSample(observation);
      if (sample) this.#move(stream.name, sample);
    }
  }

  #move(stream: string, { names, position, logTime }: JointSample): void {
    const joints = entryOf(this.#joints, stream, () => ({ startTime: logTime, ranges: new Map() }));
    for (const [j, name] of names.entries()) {
      const q = position[j]!;
      const range = entryOf(joints.ranges, name, () => ({ home: q, min: q, max: q, resting: 0 }));
      range.min = Math.min(range.min, q);
      range.max = Math.max(range.max, q);
      if (logTime - joints.startTime < REST_NANOS)
        range.resting = Math.max(range.resting, Math.abs(q - range.home));
    }
  }

  /** How the joints moved, by stream; whether that was free motion is for `doubtsOf` to say. */
  get motion(): ReadonlyMap<string, ReadonlyMap<string, JointRange>> {
    return new Map([...this.#joints].map(([stream, { ranges }]) => [stream, ranges]));
  }

  /** Cameras that measure distance, which have no sharpness. */
  get depths(): ReadonlySet<string> {
    return this.#depths;
  }

  /** A calibration has no queue that could refuse. */
  refused(): void {}

  finish(): Pick<Calibration, 'wrenches' | 'cameras' | 'home'> {
    return {
      wrenches: mapped(this.#wrenches, (samples) => ({
        noise: noiseOf(samples.map(({ wrench }) => wrench)),
        r99: reach(samples),
        rest: restOf(samples),
      })),
      cameras: mapped(this.#cameras, ({ sharpness: values, hashes, view }) => {
        const step = Math.max(1, Math.ceil(hashes.length / MOST_HASHES));
        return {
          sharpness: median(values),
          hashes: [...new Set(hashes.filter((_, i) => i % step === 0))],
          view,
        };
      }),
      home: mapped(this.#joints, ({ ranges }) => mapped(ranges, ({ home }) => home)),
    };
  }
}

function mapped<T, U>(entries: ReadonlyMap<string, T>, make: (value: T) => U): Record<string, U> {
  return Object.fromEntries([...entries].map(([name, value]) => [name, make(value)]));
}

/** 1.4826 · MAD(ΔF) / √2 per axis: differences leave out what changes slowly. */
function noiseOf(wrenches: readonly Wrench[]): number[] {
  const axes = wrenches[0]?.length ?? 0;
  return Array.from({ length: axes }, (_, axis) => {
    const steps = wrenches.slice(1).map((wrench, i) => wrench[axis]! - wrenches[i]![axis]!);
    return steps.length > 0 ? (SIGMAS_PER_MAD * medianDeviation(steps)) / Math.SQRT2 : 0;
  });
}

/** Median of the first half second, before the first motion. */
function restOf(samples: readonly { readonly time: bigint; readonly wrench: Wrench }[]): number[] {
  const end = (samples[0]?.time ?? 0n) + REST_NANOS;
  const first = samples.filter(({ time }) => time < end).map(({ wrench }) => wrench);
  return (first[0] ?? []).map((_, axis) => median(first.map((wrench) => wrench[axis]!)));
}

/** 99th percentile of how far free motion drives the force from its slow baseline. */
function reach(samples: readonly { readonly time: bigint; readonly wrench: Wrench }[]): number {
  let baseline: number[] | undefined;
  let last = 0n;
  const residuals = samples.map(({ time, wrench }) => {
    const force = wrench.slice(0, 3);
    if (!baseline) [baseline, last] = [force, time];
    const share = Math.min(1, Math.max(0, Number(time - last) / 1e9 / BASELINE_SECS));
    last = time;
    baseline = baseline.map((value, axis) => value + share * (force[axis]! - value));
    return Math.hypot(...force.map((value, axis) => value - baseline![axis]!));
  });
  return residuals.length > 0 ? quantile(residuals, 0.99) : 0;
}
