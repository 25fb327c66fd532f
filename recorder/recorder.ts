import { mkdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ContractFile } from '../schemas/contract-file.ts';
import { EPISODE_SUFFIX, type EpisodeState, type Outcome } from '../schemas/episode.ts';
import { type RecordError, UsageError } from '../schemas/errors.ts';
import { appendLabel, type Label } from '../schemas/labels.ts';
import type { Ledger } from '../schemas/ledger.ts';
import { nextEpisodeId, openLibrary } from '../schemas/library.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { LatchedMessages } from './latched-messages.ts';
import type { Source, SourceMessage, SourceWarning } from './source.ts';
import type { StreamStatus } from './stream-monitor.ts';
import { Take } from './take.ts';

/** Discarded takes go here, inside the library: an operator's mistake is never final. */
export const TRASH_FOLDER = 'trash';

/** Ten seconds of a camera rig at 25 MB/s, or one and a half of a fast one at 166 MB/s. */
const MAX_QUEUE_BYTES = 256 * 2 ** 20;

export interface RecorderOptions {
  readonly contractFile: ContractFile;
  /** Folder of episodes; made if need be. */
  readonly directory: string;
  /** Version of this program, stored in every episode. */
  readonly version: string;
  /** Record every topic of the source, not only the contract's. @default false */
  readonly allTopics?: boolean;
  /** Bound on messages between arrival and chunk, bytes. @default 256 MiB */
  readonly maxQueueBytes?: number;
  /** Told what the source notices: a type that cannot be recorded, a publisher that vanished. */
  readonly onWarning?: (warning: SourceWarning) => void;
}

export interface TakeDescription {
  readonly task: string;
  readonly operator: string;
}

/** A take whose file is complete and that waits for the operator's word. */
export interface FinishedTake {
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
  /** Log time of the start control. */
  readonly startTime: bigint;
  readonly durationSecs: number;
  readonly ledger: Ledger;
}

export interface RecorderStatus {
  readonly state: EpisodeState;
  /** Id of the take that is recorded or in review. */
  readonly episodeId: string | undefined;
  readonly durationSecs: number;
  readonly queuedBytes: number;
  readonly streams: readonly StreamStatus[];
  readonly failure: RecordError | undefined;
}

/**
 * A recording session: one source, one contract, one library, takes one after another.
 * idle → start → recording → stop → review → keep or discard → idle.
 */
export class Recorder {
  readonly #source: Source;
  readonly #options: RecorderOptions;
  readonly #channels = new Map<number, ChannelSpec>();
  readonly #latched = new LatchedMessages();
  #take: Take | undefined;
  #review: FinishedTake | undefined;
  /** True from the call of start or stop until it has settled. */
  #changing = false;
  #ended: Error | 'ended' | undefined;
  #onEnded = Promise.withResolvers<void>();

  /**
   * Opens the library and starts the source.
   *
   * @throws {SourceError | MissingFeatureError | UsageError} when one of them is not to be had.
   */
  static async open(source: Source, options: RecorderOptions): Promise<Recorder> {
    await openLibrary(options.directory);
    const recorder = new Recorder(source, options);
    const topics = Object.values(options.contractFile.contract.streams).map(({ topic }) => topic);
    await source.start(
      {
        channel: (key, spec) => recorder.#channelAppeared(key, spec),
        message: (message) => recorder.#messageArrived(message),
        room: () => recorder.#take?.room() ?? Promise.resolve(),
        failed: (error) => recorder.#sourceEnded(error),
        ended: () => recorder.#sourceEnded('ended'),
        warned: (warning) => options.onWarning?.(warning),
      },
      options.allTopics ? {} : { topics: new Set(topics) },
    );
    return recorder;
  }

  private constructor(source: Source, options: RecorderOptions) {
    this.#source = source;
    this.#options = options;
  }

  get state(): EpisodeState {
    if (this.#take) return 'recording';
    return this.#review ? 'review' : 'idle';
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
    return {
      state: this.state,
      episodeId: this.#take?.info.id ?? this.#review?.id,
      durationSecs: this.#take ? nanosToSecs(now - this.#take.startTime) : (this.#review?.durationSecs ?? 0),
      queuedBytes: this.#take?.queuedBytes ?? 0,
      streams: this.#take?.streams(now) ?? [],
      failure: this.#take?.failure,
    };
  }

  /**
   * Starts a take; messages that arrive from this call on belong to it.
   *
   * @returns the episode's id.
   * @throws {UsageError} outside the state idle.
   * @throws {RecordError} when the file cannot be made.
   */
  startTake({ task, operator }: TakeDescription): Promise<string> {
    return this.#change('idle', 'start a take', async () => {
      const { contractFile, directory, version, maxQueueBytes = MAX_QUEUE_BYTES } = this.#options;
      const { contract } = contractFile;
      const id = await nextEpisodeId(directory, contract.name);
      const { clock } = this.#source;
      const { anchor } = clock;
      const startTime = clock.now();
      const { take, opened } = Take.begin({
        file: join(directory, id + EPISODE_SUFFIX),
        info: {
          id,
          contract: contract.name,
          contractDigest: contractFile.digest,
          robot: contract.robot.model,
          task,
          operator,
          source: this.#source.name,
          recorderVersion: version,
          startTime: String(startTime),
          clockSystemTime: String(anchor?.systemTime ?? 0n),
          clockMonotonicNanos: String(anchor?.monotonicNanos ?? 0n),
        },
        contractFile,
        maxQueueBytes,
      });
      for (const [key, spec] of this.#channels) take.addChannel(key, spec);
      for (const message of this.#latched.messages()) take.message({ ...message, logTime: startTime });
      this.#take = take;
      await opened.catch((error: unknown) => {
        this.#take = undefined;
        throw error;
      });
      return id;
    });
  }

  /**
   * Ends the take and completes its file.
   *
   * @throws {UsageError} outside the state recording.
   * @throws {RecordError} when writing broke off; the state is idle again then.
   */
  stopTake(): Promise<FinishedTake> {
    return this.#change('recording', 'stop a take', async () => {
      const take = this.#take!;
      const endTime = this.#source.clock.now();
      this.#take = undefined;
      const { episode, ledger } = await take.end(endTime);
      this.#review = {
        id: take.info.id,
        file: episode.file,
        bytes: episode.bytes,
        startTime: take.startTime,
        durationSecs: nanosToSecs(endTime - take.startTime),
        ledger,
      };
      return this.#review;
    });
  }

  /** Keeps the take in review. @throws {UsageError} outside the state review. */
  keepTake(outcome: Outcome | undefined, operator: string): Promise<void> {
    return this.#change('review', 'keep a take', async () => {
      if (outcome) await this.#label({ kind: 'outcome', value: outcome }, operator);
      this.#review = undefined;
    });
  }

  /** Moves the take in review to the trash folder. @throws {UsageError} outside the state review. */
  discardTake(): Promise<string> {
    return this.#change('review', 'discard a take', async () => {
      const trash = join(this.#options.directory, TRASH_FOLDER);
      await mkdir(trash, { recursive: true });
      const target = join(trash, basename(this.#review!.file));
      await rename(this.#review!.file, target);
      this.#review = undefined;
      return target;
    });
  }

  /** Ends the session: a running take is stopped and kept. */
  async close(): Promise<void> {
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

  async #label(label: Label, author: string): Promise<void> {
    await appendLabel(this.#review!.file, { author, time: new Date().toISOString(), label });
  }

  #channelAppeared(key: number, spec: ChannelSpec): void {
    this.#channels.set(key, spec);
    this.#latched.channel(key, spec);
    this.#take?.addChannel(key, spec);
  }

  #messageArrived(message: SourceMessage): void {
    this.#latched.message(message);
    this.#take?.message(message);
  }

  #sourceEnded(how: Error | 'ended'): void {
    this.#ended ??= how;
    this.#onEnded.resolve();
  }
}
