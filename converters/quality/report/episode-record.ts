import { nanosToSecs } from '../../../schemas/time.ts';
import { isWrench, wrenchOf } from '../interaction/wrench.ts';
import { isJointType, jointSample } from '../joint-sample.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { areaResize } from '../vision/luma-measures.ts';
import { lumaOf } from '../vision/per-camera.ts';

/** Plots are this fine, seconds. */
export const STEP_SECS = 0.25;
/** Pictures of the report, pixels wide; of more than this many looks every second one goes. */
const PICTURE_WIDTH = 160;
const MOST_PICTURES = 240;

/** What one stream did in one step. */
interface Step {
  messages: number;
  /** Receipt minus stamp, milliseconds. */
  leastDelay: number;
  mostDelay: number;
}

export interface RecordedPicture {
  readonly secs: number;
  readonly width: number;
  readonly height: number;
  /** Brightness, row-major. */
  readonly luma: Uint8Array;
}

export interface RecordedStream {
  readonly stream: CheckedStream;
  /** By step. */
  readonly steps: Step[];
  /** Of numbers that are drawn: joint positions, or the length of the force; by name. */
  readonly curves: Map<string, (number | undefined)[]>;
  readonly pictures: RecordedPicture[];
}

/** What the report draws of an episode, gathered while the checks see it; a few kilobytes a second. */
export class EpisodeRecord {
  readonly #startTime: bigint;
  readonly #streams = new Map<CheckedStream, RecordedStream & { pictureStride: number; looks: number }>();

  constructor(startTime: bigint) {
    this.#startTime = startTime;
  }

  get streams(): readonly RecordedStream[] {
    return [...this.#streams.values()];
  }

  observe(observation: Observation): void {
    const { stream, logTime, sensorTime } = observation;
    const secs = nanosToSecs(logTime - this.#startTime);
    const index = Math.max(0, Math.floor(secs / STEP_SECS));
    const known = this.#streams.get(stream) ?? this.#begin(stream);
    while (known.steps.length <= index) {
      known.steps.push({ messages: 0, leastDelay: Number.NaN, mostDelay: Number.NaN });
    }
    const step = known.steps[index]!;
    step.messages++;
    if (sensorTime !== undefined && sensorTime > 0n) {
      const delay = Number(logTime - sensorTime) / 1e6;
      step.leastDelay = Number.isNaN(step.leastDelay) ? delay : Math.min(step.leastDelay, delay);
      step.mostDelay = Number.isNaN(step.mostDelay) ? delay : Math.max(step.mostDelay, delay);
    }
    if (observation.picture && observation.picture.luma.length > 0)
      this.#picture(known, secs, observation.picture);
    else if (step.messages === 1) this.#numbers(known, index, observation);
  }

  #begin(stream: CheckedStream) {
    const begun = {
      ...{ stream, steps: [] as Step[], curves: new Map<string, (number | undefined)[]>() },
      ...{ pictures: [] as RecordedPicture[], pictureStride: 1, looks: 0 },
    };
    this.#streams.set(stream, begun);
    return begun;
  }

  #numbers({ curves }: RecordedStream, index: number, observation: Observation): void {
    const put = (name: string, value: number) => {
      const curve = curves.get(name) ?? [];
      curves.set(name, curve);
      curve[index] = value;
    };
    const { stream } = observation;
    if (isWrench(stream)) {
      const wrench = wrenchOf(observation);
      if (wrench) put('‖F‖ N', Math.hypot(wrench[0]!, wrench[1]!, wrench[2]!));
    } else if (isJointType(stream.type)) {
      const sample = jointSample(observation);
      for (const [j, name] of (sample?.names ?? []).entries()) put(name, sample!.position[j]!);
    }
  }

  #picture(
    known: RecordedStream & { pictureStride: number; looks: number },
    secs: number,
    picture: NonNullable<Observation['picture']>,
  ): void {
    if (known.looks++ % known.pictureStride !== 0) return;
    const width = Math.min(PICTURE_WIDTH, picture.lumaWidth);
    const height = Math.max(1, Math.round((width * picture.lumaHeight) / picture.lumaWidth));
    const luma = Uint8Array.from(areaResize(lumaOf(picture), width, height), Math.round);
    known.pictures.push({ secs, width, height, luma });
    if (known.pictures.length < MOST_PICTURES) return;
    known.pictures.splice(0, known.pictures.length, ...known.pictures.filter((_, i) => i % 2 === 0));
    known.pictureStride *= 2;
  }
}
