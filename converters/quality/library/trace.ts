import { createHash } from 'node:crypto';
import { BIN_SECS, MotionProfile, rests } from '../episode/motion-profile.ts';
import { isJointType, jointSample } from '../joint-sample.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { differenceHash } from '../vision/luma-measures.ts';
import { isBright, isCamera, lumaOf } from '../vision/per-camera.ts';

/** Pictures of a camera that stand for its video: at 0, 25, 50, 75 and 100 % of the episode. */
const SHARES = [0, 0.25, 0.5, 0.75, 1];

/** From one hashed picture of a camera to the next. */
const HASH_NANOS = 1e9;

/** What tells two recordings of the same thing apart from two takes of the same task. */
export interface Trace {
  /** Of all joint states and commands as float32; equal only for copies. */
  readonly digest: string;
  /** [step][joint], a step every tenth of a second, idle ends left out; radians or metres. */
  readonly path: readonly (readonly number[])[];
  /** Difference hashes of {@link SHARES}, by camera. */
  readonly hashes: ReadonlyMap<string, readonly string[]>;
}

/** Gathers the trace of one episode while the checks see it. */
export class TraceCollector {
  readonly #hash = createHash('sha256');
  readonly #profiles = new Map<CheckedStream, MotionProfile>();
  readonly #hashes = new Map<string, string[]>();
  readonly #startTime: bigint;
  #endTime: bigint;
  #samples = 0;

  constructor(startTime: bigint) {
    this.#startTime = startTime;
    this.#endTime = startTime;
  }

  observe(observation: Observation): void {
    const { stream, picture, logTime } = observation;
    if (logTime > this.#endTime) this.#endTime = logTime;
    if (isCamera(stream) && picture && isBright(picture)) {
      const hashes = this.#hashes.get(stream.name) ?? [];
      this.#hashes.set(stream.name, hashes);
      if (hashes.length > Number(logTime - this.#startTime) / HASH_NANOS) return;
      hashes.push(differenceHash(lumaOf(picture)));
    }
    if (!isJointType(stream.type) || (stream.role !== 'motion' && stream.role !== 'command')) return;
    const sample = jointSample(observation);
    if (!sample) return;
    this.#samples++;
    this.#hash.update(new Uint8Array(Float32Array.from(sample.position).buffer));
    if (stream.role !== 'motion') return;
    const profile = this.#profiles.get(stream) ?? new MotionProfile(this.#startTime);
    this.#profiles.set(stream, profile);
    profile.add(sample);
  }

  /** Undefined for an episode without joints. */
  finish(): Trace | undefined {
    if (this.#samples === 0) return undefined;
    const [profile] = this.#profiles.values();
    const path = profile?.path() ?? [];
    const idle = rests(profile?.speeds(this.#endTime) ?? new Float64Array(0));
    const from = idle[0]?.from === 0 ? idle[0].to : 0;
    const last = idle.at(-1);
    const to =
      last && last.to * BIN_SECS >= path.length * BIN_SECS && last.from > from ? last.from : path.length;
    return {
      digest: this.#hash.digest('hex'),
      path: path.slice(from, to),
      hashes: new Map(
        [...this.#hashes].map(([name, all]) => [
          name,
          SHARES.map((share) => all[Math.round(share * (all.length - 1))]!),
        ]),
      ),
    };
  }
}
