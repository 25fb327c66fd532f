import type { Check, Judgement } from '../check.ts';
import { isJointState, jointsOf } from '../motion/joints.ts';
import type { Observation, Picture } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { meanDifference } from './luma-measures.ts';
import { isBright, isCamera } from './per-camera.ts';

/** Of 255: pictures that differ by less show no motion (lerobot-lint). */
const STILL_LEVEL = 0.5;
const FEWEST_FRAMES = 5;
/** Of the fastest so far; and what is no motion of any arm, radians per second. */
const MOVING_SHARE = 0.05;
const LEAST_SPEED = 0.02;
/** An encoder that jumps says nothing of how fast the arm is. */
const IMPOSSIBLE_SPEED = 10;

/** Pictures in a row that are the same, and how the robot moved meanwhile. */
interface Run {
  readonly startTime: bigint;
  endTime: bigint;
  frames: number;
  jointMessages: number;
  movingMessages: number;
}

class CameraWatch {
  /** Longest run over which the robot moved, and longest of equal payloads whether it moved or not. */
  moving: Run | undefined;
  still: Run | undefined;
  frames = 0;
  #equal: Run | undefined;
  #alike: Run | undefined;
  #fingerprint: number | undefined;
  #look: Picture | undefined;

  picture({ fingerprint, picture, logTime }: Observation): void {
    this.frames++;
    this.#equal = extend(this.#equal, fingerprint === this.#fingerprint, logTime);
    this.#fingerprint = fingerprint;
    if (picture && isBright(picture)) {
      const isAlike = this.#look !== undefined && meanDifference(picture.luma, this.#look.luma) < STILL_LEVEL;
      this.#alike = extend(this.#alike, isAlike, logTime);
      this.#look = picture;
    } else if (this.#alike) this.#alike.frames++;
    if (this.#equal && this.#equal.frames >= FEWEST_FRAMES) this.still = longer(this.still, this.#equal);
    for (const run of [this.#equal, this.#alike]) {
      if (!run || run.frames < FEWEST_FRAMES || run.movingMessages * 2 < run.jointMessages) continue;
      if (run.movingMessages > 0) this.moving = longer(this.moving, run);
    }
  }

  joints(isMoving: boolean): void {
    for (const run of [this.#equal, this.#alike]) {
      if (!run) continue;
      run.jointMessages++;
      if (isMoving) run.movingMessages++;
    }
  }
}

/** A run begins with the first picture: whether it is one shows with the second. */
function extend(run: Run | undefined, isSame: boolean, logTime: bigint): Run {
  if (!run || !isSame) {
    return { startTime: logTime, endTime: logTime, frames: 1, jointMessages: 0, movingMessages: 0 };
  }
  run.endTime = logTime;
  run.frames++;
  return run;
}

function secsOf({ startTime, endTime }: Run): number {
  return Number(endTime - startTime) / 1e9;
}

function longer(longest: Run | undefined, run: Run): Run {
  return longest && secsOf(longest) >= secsOf(run) ? longest : { ...run };
}

/** Fastest joint of each stream of states, radians per second. */
class Speedometer {
  readonly #last = new Map<CheckedStream, { readonly time: bigint; readonly positions: Float64Array }>();
  #fastest = 0;

  /** Undefined for the first message. */
  isMoving(observation: Observation): boolean | undefined {
    const joints = jointsOf(observation);
    const last = this.#last.get(observation.stream);
    const secs = last ? Number(observation.logTime - last.time) / 1e9 : 0;
    // Over 20 ms at least: encoders count in steps.
    if (!joints || (last && secs < 0.02)) return undefined;
    this.#last.set(observation.stream, { time: observation.logTime, positions: joints.positions });
    if (!last || last.positions.length !== joints.positions.length) return undefined;
    let fastest = 0;
    joints.positions.forEach((position, i) => {
      const speed = Math.abs(position - last.positions[i]!) / secs;
      if (speed > fastest) fastest = speed;
    });
    if (fastest < IMPOSSIBLE_SPEED) this.#fastest = Math.max(this.#fastest, fastest);
    return fastest > Math.max(LEAST_SPEED, this.#fastest * MOVING_SHARE);
  }
}

/** A camera that shows the past while the robot goes on. */
export const FROZEN_CAMERA: Check = {
  id: 'V03',
  title: 'frozen camera',
  claim: 'DEFECT',
  runs: 'live',
  unit: 's',
  limits: { warn: 0.3, fail: 0.5, validated: true },
  explain: {
    cause: 'The driver repeats its last picture under new stamps: a lost USB camera, a stalled encoder.',
    formula:
      'Longest run of pictures with equal payload or with mean |ΔY| < 0.5 of 255, five frames at least, while a joint ' +
      'moves at over 5 % of the fastest in half of the run. Equal payloads while nothing moves only warn.',
    remedy: 'Plug the camera in anew; give it a USB controller of its own; look at the driver’s log.',
    example: 'front: the same picture for 1.27 s while the robot moved',
    source: 'lerobot-lint (0.5 of 255); ffmpeg freezedetect',
  },
  watch() {
    const cameras = new Map<CheckedStream, CameraWatch>();
    const speedometer = new Speedometer();
    let hasJoints = false;
    return {
      wants: (stream) => isCamera(stream) || isJointState(stream),
      observe(observation) {
        const { stream } = observation;
        if (isCamera(stream)) {
          const camera = cameras.get(stream) ?? new CameraWatch();
          cameras.set(stream, camera);
          return camera.picture(observation);
        }
        const isMoving = speedometer.isMoving(observation);
        if (isMoving === undefined) return;
        hasJoints = true;
        for (const camera of cameras.values()) camera.joints(isMoving);
      },
      *findings(): Generator<Judgement> {
        for (const [stream, { moving, still, frames }] of cameras) {
          const evidence = { frames, hasJoints };
          if (moving && secsOf(moving) > 0) {
            const value = secsOf(moving);
            const reason = `the same picture for ${value.toFixed(2)} s while the robot moved`;
            yield { stream, value, window: windowOf(moving), evidence, reason };
          } else if (still && secsOf(still) > 0.3) {
            const value = secsOf(still);
            const why = hasJoints
              ? 'the robot stood still'
              : 'no stream of joints says whether the robot moved';
            const reason = `the same picture for ${value.toFixed(2)} s; ${why}`;
            yield { stream, status: 'warn', value, window: windowOf(still), evidence, reason };
          } else yield { stream, value: 0, evidence, reason: 'its pictures go on' };
        }
      },
    };
  },
};

function windowOf({ startTime, endTime }: Run) {
  return { startTime, endTime: endTime + 1n };
}
