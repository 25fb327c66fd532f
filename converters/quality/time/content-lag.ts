import type { Contract } from '../../../schemas/contract.ts';
import { nanosToSecs } from '../../../schemas/time.ts';
import { entryOf } from '../entry-of.ts';
import type { ContentLag } from '../episode-facts.ts';
import { isJointState, jointsOf } from '../motion/joints.ts';
import type { Observation } from '../observation.ts';
import { median } from '../robust.ts';
import { bandAmplitude } from '../spectrum.ts';
import type { CheckedStream } from '../subject.ts';
import { brightnessTiles, commonChange, type Tiles } from '../vision/common-brightness.ts';
import { meanDifference } from '../vision/luma-measures.ts';
import { isBright, isCamera, lumaOf } from '../vision/per-camera.ts';

/** Lags that are tried, to both sides, and the steps between them, seconds. */
export const MOST_LAG_SECS = 0.5;
const STEP_SECS = 0.01;
/** A longer interval, in periods of the camera, is a hole: what changed across it is left out. */
const HOLE_PERIODS = 2.5;
/** The arm moves where it is faster than this share of its fastest. */
const MOVING_SHARE = 0.05;
/** Pictures over which a rate rises: short beside a movement, long beside noise. */
const RISE = 5;
/** What lamps and automatic exposure do; pictures of 30 Hz show no more. */
const FLICKER_HZ = [1, 15] as const;
/** Fewer intervals say nothing of a correlation. */
const FEWEST_INTERVALS = 30;

/** What changed from one picture to the next, per second. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly perSec: number;
  /** Common to the whole picture, as a share of full scale. */
  readonly brighter: number;
}

interface Camera {
  last: { readonly secs: number; readonly luma: Uint8Array; readonly tiles: Tiles } | undefined;
  readonly changes: Change[];
  startTime: bigint;
  endTime: bigint;
}

interface Joints {
  readonly secs: number[];
  readonly positions: Float64Array[];
}

/**
 * Lays how much the pictures of each camera change beside how fast the joints move, over a stretch of which every
 * picture is seen. Each stream is on the clock that the contract gives it.
 */
export class ContentSeries {
  readonly #contract: Contract | undefined;
  readonly #cameras = new Map<CheckedStream, Camera>();
  readonly #joints = new Map<CheckedStream, Joints>();
  #origin: bigint | undefined;

  constructor(contract: Contract | undefined) {
    this.#contract = contract;
  }

  observe(observation: Observation): void {
    const { stream, picture, logTime } = observation;
    const time = this.#timeOf(observation);
    this.#origin ??= time;
    const secs = nanosToSecs(time - this.#origin);
    if (isCamera(stream) && picture && isBright(picture)) {
      const camera = entryOf(this.#cameras, stream, (): Camera => {
        return { last: undefined, changes: [], startTime: logTime, endTime: logTime };
      });
      const { last } = camera;
      const tiles = brightnessTiles(lumaOf(picture));
      camera.last = { secs, luma: picture.luma, tiles };
      camera.endTime = logTime;
      if (!last || secs <= last.secs || last.luma.length !== picture.luma.length) return;
      const perSec = meanDifference(picture.luma, last.luma) / (secs - last.secs);
      const brighter = commonChange(last.tiles, tiles);
      camera.changes.push({ from: last.secs, to: secs, perSec, brighter });
    } else if (isJointState(stream)) {
      const positions = jointsOf(observation)?.positions;
      if (!positions?.every(Number.isFinite)) return;
      const series = entryOf(this.#joints, stream, (): Joints => ({ secs: [], positions: [] }));
      if (secs <= (series.secs.at(-1) ?? Number.NEGATIVE_INFINITY)) return;
      series.secs.push(secs);
      series.positions.push(positions);
    }
  }

  /** Of every camera that enough was seen of. */
  lags(): readonly ContentLag[] {
    const joints = [...this.#joints.values()].filter(({ secs }) => secs.length > 1);
    if (joints.length === 0) return [];
    const from = Math.max(...joints.map(({ secs }) => secs[0]!)) + MOST_LAG_SECS;
    const to = Math.min(...joints.map(({ secs }) => secs.at(-1)!)) - MOST_LAG_SECS;
    return [...this.#cameras].flatMap(([stream, { changes, startTime, endTime }]) => {
      const periodSecs = median(changes.map((change) => change.to - change.from));
      const seen = changes.filter(
        (change) =>
          change.from >= from && change.to <= to && change.to - change.from < HOLE_PERIODS * periodSecs,
      );
      if (seen.length < FEWEST_INTERVALS) return [];
      const window = { startTime, endTime: endTime + 1n };
      const flicker = flickerOf(seen, 1 / periodSecs);
      return [{ stream, window, pictures: seen.length + 1, periodSecs, flicker, ...lagOf(seen, joints) }];
    });
  }

  /** Stamps of another computer are no time that joints could be compared at. */
  #timeOf({ stream, sensorTime, publishTime, logTime }: Observation): bigint {
    const clock = stream.contract?.clock ?? this.#contract?.samples.clock ?? 'sensor';
    if (clock === 'publish') return publishTime;
    return clock === 'log' || stream.contract?.clockOffset ? logTime : (sensorTime ?? logTime);
  }
}

/** By how much brightness goes up and down together, as fast as lamps and automatic exposure do. */
function flickerOf(changes: readonly Change[], rateHz: number): number {
  let sum = 0;
  const brightness = Float64Array.from(changes, ({ brighter }) => {
    sum += brighter;
    return sum;
  });
  return bandAmplitude(brightness, rateHz, FLICKER_HZ);
}

function lagOf(
  changes: readonly Change[],
  joints: readonly Joints[],
): Pick<ContentLag, 'lagSecs' | 'agreement' | 'nextAgreement' | 'motion'> {
  const steps = Math.round(MOST_LAG_SECS / STEP_SECS);
  const seen = rises(changes.map(({ perSec }) => perSec));
  const agreements = Array.from({ length: 2 * steps + 1 }, (_, i) =>
    correlation(seen, rises(speedsBefore(changes, joints, (i - steps) * STEP_SECS))),
  );
  const peaks = agreements.flatMap((value, i) => {
    const isPeak = value >= (agreements[i - 1] ?? value) && value > (agreements[i + 1] ?? -1);
    return isPeak && i > 0 && i < 2 * steps ? [i] : [];
  });
  const [best, next] = peaks.sort((a, b) => agreements[b]! - agreements[a]!);
  const speeds = speedsBefore(changes, joints, 0);
  const least = MOVING_SHARE * Math.max(...speeds);
  const motion = speeds.filter((speed) => speed > least).length / speeds.length;
  if (best === undefined) return { lagSecs: 0, agreement: 0, nextAgreement: 0, motion };
  const [before, peak, after] = [agreements[best - 1]!, agreements[best]!, agreements[best + 1]!];
  const bend = before - 2 * peak + after;
  const shift = bend < 0 ? (0.5 * (before - after)) / bend : 0;
  const nextAgreement = next === undefined ? 0 : Math.max(0, agreements[next]!);
  return { lagSecs: (best - steps + shift) * STEP_SECS, agreement: peak, nextAgreement, motion };
}

/**
 * Where a rate goes up and down. Roots, as a picture can only change so much however fast the arm is; rises, as it
 * changes more in one pose than in another at the same speed, which would pull the peak aside.
 */
function rises(rates: readonly number[]): number[] {
  return rates.slice(RISE).map((rate, i) => Math.sqrt(rate) - Math.sqrt(rates[i]!));
}

/** How fast the joints were during each change, had the pictures come this much too late. */
function speedsBefore(changes: readonly Change[], joints: readonly Joints[], lagSecs: number): number[] {
  const speeds = changes.map(() => 0);
  for (const { secs, positions } of joints) {
    let [first, last] = [0, 0];
    for (const [i, { from, to }] of changes.entries()) {
      first = indexBefore(secs, from - lagSecs, first);
      last = indexBefore(secs, to - lagSecs, last);
      let squares = 0;
      for (let j = 0; j < positions[0]!.length; j++) {
        const at = (index: number, time: number) => {
          const share = (time - secs[index]!) / (secs[index + 1]! - secs[index]!);
          const [a, b] = [positions[index]![j]!, positions[index + 1]![j]!];
          return a + (b - a) * share;
        };
        squares += (at(last, to - lagSecs) - at(first, from - lagSecs)) ** 2;
      }
      speeds[i]! += Math.sqrt(squares) / (to - from);
    }
  }
  return speeds;
}

/** Place of the sample at or before an instant, searched for from an earlier one on. */
function indexBefore(secs: readonly number[], time: number, from: number): number {
  let at = from;
  while (at < secs.length - 2 && secs[at + 1]! <= time) at++;
  return at;
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    [ab, aa, bb] = [ab + x * y, aa + x * x, bb + y * y];
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
