import { setTimeout as sleep } from 'node:timers/promises';
import type { Source, SourceOptions, SourceSink } from '../../recorder/source.ts';
import { SourceError } from '../../schemas/errors.ts';
import type { Clock } from '../../schemas/time.ts';
import { checkFaults, type Fault } from './faults.ts';
import { channelOf, STREAMS } from './streams.ts';
import type { DemoTruth } from './truth.ts';
import { WorkerLink } from './worker-link.ts';
import type { WorldOptions } from './world-options.ts';

export interface DemoRobotOptions {
  /** Decides block, target, noise and jitter; equal options give equal messages, byte for byte. @default 1 */
  readonly seed?: number;
  /** Delivers every message when it is due; else as fast as the sink has room. @default false */
  readonly realTime?: boolean;
  /** What goes wrong on purpose. @default nothing */
  readonly faults?: readonly Fault[];
  /** Task after task for this long, seconds. @default one pick-and-place, about 12 s */
  readonly durationSecs?: number;
  /** The cameras have 320 × 240 pixels times this, a whole number. @default 1 */
  readonly pictureScale?: number;
  /** Instant at which the robot's clock begins, nanoseconds. @default the system clock now */
  readonly startTime?: bigint;
}

/** Simulated time per batch: messages come at most this late. */
const BATCH_SECS = 0.01;
/** Batches asked for ahead, so that a slow picture delays nothing. */
const AHEAD = 12;

/**
 * A simulated arm with gripper, cameras, force-torque sensor and tactile fingertip that picks up a block
 * and places it. Everything it sends follows from its options; its clock is the simulation's own.
 */
export class DemoRobot implements Source {
  readonly name = 'demo';
  /** The instant through which messages have been delivered. */
  readonly clock: Clock = { now: () => this.#time };
  readonly #options: DemoRobotOptions;
  readonly #faults: readonly Fault[];
  #time: bigint;
  #link: WorkerLink | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #stopping = Promise.withResolvers<'stopped'>();
  #truth: DemoTruth | undefined;

  /** @throws {UsageError} for a fault that this robot cannot have. */
  constructor(options: DemoRobotOptions = {}) {
    this.#options = options;
    this.#faults = options.faults ?? [];
    checkFaults(this.#faults);
    this.#time = options.startTime ?? BigInt(Date.now()) * 1_000_000n;
  }

  /** What really happened; present once the robot has ended or stopped. */
  get truth(): DemoTruth | undefined {
    return this.#truth;
  }

  async start(sink: SourceSink, { topics }: SourceOptions = {}): Promise<void> {
    if (this.#link) throw new SourceError('Cannot start the simulated robot twice. Make a new one.');
    const { seed = 1, durationSecs, pictureScale } = this.#options;
    const world: WorldOptions = {
      ...{ seed, startTime: this.#time, faults: this.#faults },
      ...(durationSecs === undefined ? {} : { durationSecs }),
      ...(pictureScale === undefined ? {} : { pictureScale }),
    };
    this.#link = await WorkerLink.open(world).catch((cause: Error) => {
      throw new SourceError(`Cannot start the simulated robot: ${cause.message}.`, { cause });
    });
    const wanted = new Set<number>();
    STREAMS.forEach((spec, channelKey) => {
      if (topics && !topics.has(spec.topic)) return;
      wanted.add(channelKey);
      sink.channel(channelKey, channelOf(spec));
    });
    this.#running = this.#run(this.#link, sink, wanted).catch((cause: Error) => {
      const message = `The simulated robot broke off: ${cause.message}. What it sent before is complete.`;
      sink.failed(new SourceError(message, { cause }));
    });
  }

  async stop(): Promise<void> {
    this.#stopping.resolve('stopped');
    await this.#running;
    await this.#link?.close();
  }

  async #run(link: WorkerLink, sink: SourceSink, wanted: ReadonlySet<number>): Promise<void> {
    const { realTime = false } = this.#options;
    const [startTime, startMillis] = [this.#time, performance.now()];
    const request = () => {
      const batch = link.advance(BATCH_SECS);
      batch.catch(() => {}); // a failure is met where the batch is awaited
      return batch;
    };
    const ahead = Array.from({ length: AHEAD }, request);
    for (;;) {
      const batch = await ahead.shift()!;
      const dueMillis = startMillis + Number(batch.throughTime - startTime) / 1e6;
      const ready = realTime ? sleep(Math.max(0, dueMillis - performance.now())) : sink.room();
      if ((await Promise.race([ready, this.#stopping.promise])) === 'stopped') break;
      if (!batch.truth) ahead.push(request());
      for (const message of batch.messages) if (wanted.has(message.channelKey)) sink.message(message);
      this.#time = batch.throughTime;
      this.#truth = batch.truth;
      if (batch.truth) return sink.ended();
    }
    await Promise.allSettled(ahead);
    this.#truth = await link.truth();
  }
}
