import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContractFile } from '../schemas/contract-file.ts';
import { EPISODE_SUFFIX, type EpisodeInfo, type EpisodeState } from '../schemas/episode.ts';
import type { EpisodeEvent } from '../schemas/episode-events.ts';
import { type RecordError, UsageError } from '../schemas/errors.ts';
import { nextEpisodeId, openLibrary } from '../schemas/library.ts';
import type { LiveStreams } from '../schemas/live-streams.ts';
import type { MessageObserver } from '../schemas/message-observer.ts';
import type { RecordingStatus } from '../schemas/recording-control.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { ClockWatch, clockStepEvent, clockStepWarning } from './clock-watch.ts';
import { type FinishedTake, labelTake, type TakeVerdict } from './finished-take.ts';
import { Intake } from './intake.ts';
import type { Source, SourceWarning } from './source.ts';
import { StorageGuard } from './storage-guard.ts';
import { Take } from './take.ts';
import type { TakeDescription } from './take-description.ts';
import type { TopicSet } from './topic-choice.ts';

/** Ten seconds of a camera rig at 25 MB/s, or one and a half of a fast one at 166 MB/s. */
const MAX_QUEUE_BYTES = 256 * 2 ** 20;
/** Three seconds before a start at 166 MB/s. */
const MAX_PRE_ROLL_BYTES = 512 * 2 ** 20;
/** A full queue and the summary of a long take. */
const RESERVE_BYTES = 512 * 2 ** 20;
/** At 166 MB/s a look twice a second leaves the reserve almost whole. */
const LOOK_MILLIS = 500;

export interface RecorderOptions {
  readonly contractFile: ContractFile;
  /** Folder of episodes; made if need be. */
  readonly directory: string;
  /** Version of this program, stored in every episode. */
  readonly version: string;
  /** Topics to record. @default the contract's */
  readonly topics?: TopicSet;
  /** Bound on messages between arrival and chunk, bytes. @default 256 MiB */
  readonly maxQueueBytes?: number;
  /** Bound on the messages kept before a start, bytes. @default 512 MiB */
  readonly maxPreRollBytes?: number;
  /** Space of the file system that stays free, bytes. @default 512 MiB */
  readonly reserveBytes?: number;
  /** Is shown every message of every take, and says what is wrong. */
  readonly observer?: MessageObserver;
  /** Told what the operator should know: a type that cannot be recorded, a publisher that vanished. */
  readonly onWarning?: (warning: SourceWarning) => void;
}

/** The part of an operator's view that the recorder itself knows. */
export type RecorderStatus = Pick<
  RecordingStatus,
  'state' | 'episodeId' | 'durationSecs' | 'paused' | 'queuedBytes' | 'streams' | 'storage' | 'wrong'
> & { readonly failure: RecordError | undefined };

/**
 * A recording session: one source, one contract, one library, takes one after another.
 * idle → start → recording → stop → review → keep or discard → idle.
 */
export class Recorder {
  readonly #source: Source;
  readonly #options: RecorderOptions;
  readonly #intake: Intake;
  readonly #storage: StorageGuard;
  readonly #timer: NodeJS.Timeout;
  readonly #clockWatch: ClockWatch;
  #take: Take | undefined;
  /** A take that takes no more messages and whose file is being completed. */
  #closing: Take | undefined;
  #review: FinishedTake | undefined;
  /** True from the call of start or stop until it has settled. */
  #changing = false;
  #ended: Error | 'ended' | undefined;
  readonly #onEnded = Promise.withResolvers<void>();

  /**
   * Opens the library and starts the source.
   *
   * @throws {SourceError | MissingFeatureError | UsageError} when one of them is not to be had.
   */
  static async open(source: Source, options: RecorderOptions): Promise<Recorder> {
    const recorder = new Recorder(source, options);
    try {
      await openLibrary(options.directory);
      await recorder.#storage.open();
      await recorder.#startSource();
    } catch (error) {
      await recorder.close(); // an opened source would keep the process alive
      throw error;
    }
    return recorder;
  }

  #startSource(): Promise<void> {
    const { contractFile, topics, onWarning } = this.#options;
    const streams = Object.values(contractFile.contract.streams);
    return this.#source.start(
      {
        channel: (key, spec) => this.#intake.channelAppeared(key, spec, this.#take),
        message: (message) => this.#intake.messageArrived(message, this.#take),
        room: () => this.#take?.room() ?? Promise.resolve(),
        failed: (error) => this.#sourceEnded(error),
        ended: () => this.#sourceEnded('ended'),
        offered: (key, isOffered) => this.#intake.channelOffered(key, isOffered, this.#take),
        disputed: (topic, why) => this.#intake.disputed(topic, why, this.#take),
        datagramsDropped: (count) => this.#take?.datagramsDropped(count),
        warned: (warning) => onWarning?.(warning),
      },
      {
        topics: topics ?? new Set(streams.map(({ topic }) => topic)),
        qos: new Map(streams.flatMap(({ topic, qos }) => (qos ? [[topic, qos]] : []))),
      },
    );
  }

  private constructor(source: Source, options: RecorderOptions) {
    const { contractFile, directory, reserveBytes = RESERVE_BYTES, onWarning } = options;
    this.#source = source;
    this.#options = options;
    this.#intake = new Intake(
      contractFile.contract,
      source.clock,
      options.maxPreRollBytes ?? MAX_PRE_ROLL_BYTES,
    );
    this.#storage = new StorageGuard(directory, { reserveBytes, onWarning });
    this.#clockWatch = new ClockWatch(source.clock);
    this.#timer = setInterval(() => this.#lookAtClock(), LOOK_MILLIS).unref();
  }

  get state(): EpisodeState {
    if (this.#take || this.#closing) return 'recording';
    return this.#review ? 'review' : 'idle';
  }

  /** The robot's streams as they arrive. */
  get live(): LiveStreams {
    return this.#intake.live;
  }

  /** Resolves when the source has ended or broken off. */
  get sourceEnded(): Promise<void> {
    return this.#onEnded.promise;
  }

  /** Why the source broke off, if it did. */
  get sourceError(): Error | undefined {
    return this.#ended instanceof Error ? this.#ended : undefined;
  }

  status(): RecorderStatus {
    const now = this.#source.clock.now();
    const take = this.#take ?? this.#closing;
    return {
      state: this.state,
      episodeId: take?.info.id ?? this.#review?.id,
      durationSecs: take ? nanosToSecs(now - take.startTime) : (this.#review?.durationSecs ?? 0),
      paused: take?.isPaused ?? false,
      queuedBytes: take?.queuedBytes ?? 0,
      streams: take?.streams(now) ?? this.#intake.status(now),
      storage: this.#storage.status,
      wrong: take ? (this.#options.observer?.current() ?? []) : [],
      failure: take?.failure,
    };
  }

  /**
   * Starts a take. It holds the pre-roll and every message that arrives once its file has a name.
   *
   * @returns the episode's id.
   * @throws {UsageError} outside the state idle.
   * @throws {RecordError} when the file cannot be made or would not fit the disk.
   */
  startTake(description: TakeDescription): Promise<string> {
    return this.#change('idle', 'start a take', async () => {
      const { contractFile, directory, maxQueueBytes = MAX_QUEUE_BYTES } = this.#options;
      await this.#storage.demandSpace();
      const id = await nextEpisodeId(directory, contractFile.contract.name);
      const file = join(directory, id + EPISODE_SUFFIX);
      const startTime = this.#source.clock.now();
      const preRoll = this.#intake.preRoll(startTime);
      const firstTime = preRoll[0]?.logTime ?? startTime;
      const { take, opened } = Take.begin({
        file,
        info: this.#infoOf(id, startTime, description),
        firstTime,
        contractFile,
        // What the pre-roll's own bound held until now comes on top: it is handed over before anything is written.
        maxQueueBytes: maxQueueBytes + this.#intake.handOverBytes(preRoll),
        observer: this.#options.observer,
      });
      this.#intake.handOver(take, firstTime, preRoll);
      take.event({ event: 'start', by: description.operator }, startTime);
      this.#lookAtClock();
      if (this.#clockWatch.totalNanos !== 0n)
        take.event(clockStepEvent(this.#clockWatch.totalNanos), startTime);
      this.#take = take;
      await opened.catch((error: unknown) => {
        this.#take = undefined;
        throw error;
      });
      this.#storage.takeBegan(`${file}.part`);
      return id;
    });
  }

  /**
   * Marks this moment of the take: something just went wrong, or what comes is no demonstration until "resume".
   * Nothing is left out of the file.
   *
   * @throws {UsageError} outside the state recording, and for a pause in a pause.
   */
  mark(event: EpisodeEvent & { readonly event: 'mistake' | 'pause' | 'resume' }): void {
    const what = `mark "${event.event}"`;
    if (!this.#take) throw new UsageError(`Cannot ${what}: no take is running.`);
    if (event.event !== 'mistake' && (event.event === 'pause') === this.#take.isPaused) {
      throw new UsageError(`Cannot ${what}: the take is ${this.#take.isPaused ? '' : 'not '}paused.`);
    }
    this.#take.event(event, this.#source.clock.now());
  }

  /**
   * Ends the take, after the contract's post-roll, and completes its file.
   *
   * @throws {UsageError} outside the state recording.
   * @throws {RecordError} when writing broke off; the state is idle again then.
   */
  stopTake(): Promise<FinishedTake> {
    return this.#change('recording', 'stop a take', async () => {
      const take = this.#take!;
      const { clock } = this.#source;
      take.event({ event: 'stop', by: take.info.operator }, clock.now());
      const { postRollSecs } = this.#options.contractFile.contract.episode;
      if (postRollSecs > 0 && !this.#ended && !take.failure) await delay(postRollSecs * 1000);
      this.#lookAtClock();
      const endTime = clock.now();
      this.#take = undefined;
      this.#closing = take;
      this.#intake.takeEnded();
      try {
        const { episode, ledger } = await take.end(endTime);
        this.#storage.takeEnded(episode.bytes);
        this.#review = {
          id: take.info.id,
          file: episode.file,
          bytes: episode.bytes,
          startTime: take.startTime,
          durationSecs: nanosToSecs(endTime - take.startTime),
          ledger,
          checked: this.#options.observer?.takeEnded(endTime, episode.file) ?? Promise.resolve(undefined),
        };
        return this.#review;
      } catch (error) {
        this.#storage.takeEnded(undefined);
        void this.#options.observer?.takeEnded(endTime, undefined);
        throw error;
      } finally {
        this.#closing = undefined;
      }
    });
  }

  /** Keeps the take in review, with what the operator says of it. @throws {UsageError} outside review. */
  keepTake(verdict: TakeVerdict, author: string): Promise<void> {
    return this.#change('review', 'keep a take', async () => {
      await labelTake(this.#review!, verdict, author);
      this.#review = undefined;
    });
  }

  /** Moves the take in review to the trash. @returns where it is now. @throws {UsageError} outside review. */
  discardTake(): Promise<string> {
    return this.#change('review', 'discard a take', async () => {
      const target = await this.#storage.discard(this.#review!.file);
      this.#review = undefined;
      return target;
    });
  }

  /** Ends the session: a running take is stopped and kept. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#storage.close();
    if (this.#take) await this.stopTake();
    await this.#source.stop();
  }

  async #change<T>(from: EpisodeState, action: string, step: () => Promise<T>): Promise<T> {
    if (this.state !== from || this.#changing) {
      const found = this.#changing ? 'another change is under way' : `the state is "${this.state}"`;
      throw new UsageError(`Cannot ${action}: that needs the state "${from}", but ${found}.`);
    }
    this.#changing = true;
    try {
      return await step();
    } finally {
      this.#changing = false;
    }
  }

  #infoOf(id: string, startTime: bigint, description: TakeDescription): EpisodeInfo {
    const { contract, digest } = this.#options.contractFile;
    const { anchor } = this.#source.clock;
    return {
      id,
      contract: contract.name,
      contractDigest: digest,
      robot: contract.robot.model,
      ...description,
      source: this.#source.name,
      recorderVersion: this.#options.version,
      startTime: String(startTime),
      clockSystemTime: String(anchor?.systemTime ?? 0n),
      clockMonotonicNanos: String(anchor?.monotonicNanos ?? 0n),
    };
  }

  /** Log times go on from where they were; how far the other clock is away is told and written down. */
  #lookAtClock(): void {
    const step = this.#clockWatch.look();
    if (step === undefined) return;
    this.#take?.event(clockStepEvent(step), this.#source.clock.now());
    this.#options.onWarning?.(clockStepWarning(step));
  }

  #sourceEnded(how: Error | 'ended'): void {
    this.#ended ??= how;
    this.#onEnded.resolve();
  }
}
