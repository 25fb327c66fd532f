import { entryOf } from '../entry-of.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { type Wrench, wrenchOf } from './wrench.ts';

/** Newtons at which contact begins and ends where no calibration tells the sensor's own noise. */
export const ASSUMED = { on: 3, off: 1.65 } as const;
/** Of a calibrated sensor: multiples of the 99th percentile of what it reads in free motion. */
const ON = 2;
const OFF = 1.1;

const SMOOTH_SECS = 1 / (2 * Math.PI * 25);
const BASELINE_SECS = 1;
/** In contact the baseline hardly follows: a long press is no bias. */
const LEAK_SECS = 20;

export interface ContactSample {
  /** Newtons by which the force is off its baseline. */
  readonly residual: number;
  readonly inContact: boolean;
  /** Whether contact began or ended with this sample. */
  readonly toggled: boolean;
}

/** Finds contact in a stream of forces, sample by sample; needs neither orientation nor mass. */
export class ContactDetector {
  readonly on: number;
  readonly off: number;
  #smooth: number[] | undefined;
  #baseline: number[] = [];
  #lastTime = 0n;
  #inContact = false;

  /** @param r99 of the rig's calibration. */
  constructor(r99: number | undefined) {
    this.on = r99 === undefined ? ASSUMED.on : ON * r99;
    this.off = r99 === undefined ? ASSUMED.off : OFF * r99;
  }

  add([x = 0, y = 0, z = 0]: Wrench, time: bigint): ContactSample {
    const force = [x, y, z];
    const secs = Math.max(0, Number(time - this.#lastTime) / 1e9);
    this.#lastTime = time;
    if (!this.#smooth) {
      [this.#smooth, this.#baseline] = [force, force];
      return { residual: 0, inContact: false, toggled: false };
    }
    this.#smooth = follow(this.#smooth, force, secs / SMOOTH_SECS);
    const residual = Math.hypot(...this.#smooth.map((value, i) => value - this.#baseline[i]!));
    const was = this.#inContact;
    this.#inContact = residual > (was ? this.off : this.on);
    this.#baseline = follow(this.#baseline, force, secs / (this.#inContact ? LEAK_SECS : BASELINE_SECS));
    return { residual, inContact: this.#inContact, toggled: was !== this.#inContact };
  }
}

/** Whether anything touches the robot, as its force sensors feel it. */
export class Contacts {
  readonly #calibration: Subject['calibration'];
  readonly #detectors = new Map<CheckedStream, ContactDetector>();

  constructor({ calibration }: Subject) {
    this.#calibration = calibration;
  }

  /** Whether there is a force sensor at all. */
  get areFelt(): boolean {
    return this.#detectors.size > 0;
  }

  /** @returns whether the sensor of this message is in contact. */
  observe(observation: Observation): boolean {
    const { stream, logTime } = observation;
    const r99 = this.#calibration?.wrenches[stream.name]?.r99;
    const detector = entryOf(this.#detectors, stream, () => new ContactDetector(r99));
    const wrench = wrenchOf(observation);
    return wrench !== undefined && detector.add(wrench, logTime).inContact;
  }
}

/** One step of a first-order low pass, `share` of its time constant long. */
function follow(from: readonly number[], to: readonly number[], share: number): number[] {
  const weight = 1 - Math.exp(-share);
  return from.map((value, i) => value + (to[i]! - value) * weight);
}
