import type { Contract } from '../schemas/contract.ts';
import { RecordError, UsageError } from '../schemas/errors.ts';
import type { TakeFindings } from '../schemas/message-observer.ts';
import type { RecordingCommand, RecordingControl, RecordingStatus } from '../schemas/recording-control.ts';
import type { Collection } from './collection.ts';
import type { FinishedTake, TakeVerdict } from './finished-take.ts';
import { untoleratedLosses } from './loss-verdict.ts';
import type { Recorder } from './recorder.ts';
import { type Description, described, newSessionId, type TakeDescription } from './take-description.ts';

export interface RecordingSessionOptions {
  readonly contract: Contract;
  /** What the first take is of; one of the contract's tasks. */
  readonly task: string;
  readonly operator: string;
  /** Of the lists of the contract; undefined where it does not matter. */
  readonly scene?: string;
  readonly object?: string;
  /** Id of this run, stored in every take. @default the time of its beginning and a random end */
  readonly session?: string;
  /** Says what comes next, unless an operator says otherwise for one kept take. */
  readonly collection?: Collection;
  /** A take's file is complete; it waits for the operator's word. */
  readonly onTake?: (take: FinishedTake) => void;
  /** Something the operator has to know; the session goes on. */
  readonly onTrouble?: (message: string) => void;
}

/** The running take is looked at this often: for its length, its disk and its file. */
const LOOK_MILLIS = 100;

/**
 * A recording session behind all its operators: keyboard, page, pedal and ROS services give the same
 * commands to the one machine. A take is ended by itself when it reaches the contract's longest duration,
 * when the disk is full, or when writing fails.
 */
export class RecordingSession implements RecordingControl {
  readonly #recorder: Recorder;
  readonly #options: RecordingSessionOptions;
  readonly #timer: NodeJS.Timeout;
  #tail: Promise<void> = Promise.resolve();
  readonly #id: string;
  #description: TakeDescription;
  #finished: FinishedTake | undefined;
  /** Of the finished take, once it is known. */
  #checked: TakeFindings | undefined;
  #quality: number | undefined;
  #kept = 0;
  #discarded = 0;
  #lossy = false;
  #ended = false;
  #trouble: string | undefined;
  readonly #listeners = new Set<() => void>();

  /** @throws {UsageError} when the contract does not list what the first take is of. */
  constructor(recorder: Recorder, options: RecordingSessionOptions) {
    this.#recorder = recorder;
    this.#options = options;
    const { contract, task, operator, scene, object, session = newSessionId() } = options;
    this.#id = session;
    this.#description = described({ task, operator, session }, { task, scene, object }, contract);
    this.#followPlan();
    this.#timer = setInterval(() => this.#look(), LOOK_MILLIS).unref();
  }

  /** Whether a kept take lost more than the contract tolerates, or a take broke off. */
  get lossy(): boolean {
    return this.#lossy;
  }

  status(): RecordingStatus {
    const { failure, ...status } = this.#recorder.status();
    const { tasks, operators, scenes, objects } = this.#options.contract.episode;
    const { task, operator, scene, object } = this.#description;
    const finished = status.state === 'review' ? this.#finished : undefined;
    return {
      ...status,
      review: finished && { ...finished, losses: finished.ledger.losses, checked: this.#checked },
      quality: finished && this.#quality,
      session: this.#id,
      ...{ task, operator, scene, object },
      ...{ tasks, operators, scenes, objects },
      plan: this.#options.collection?.status(operator),
      kept: this.#kept,
      discarded: this.#discarded,
      trouble: failure?.message ?? this.#trouble,
    };
  }

  listen(changed: () => void): () => void {
    const listener = () => changed(); // one function may listen twice
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  command(command: RecordingCommand): Promise<void> {
    return this.#inTurn(() => this.#obey(command));
  }

  /** Ends the session: a running take is stopped, a take in review is kept as it is, no command is obeyed. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#inTurn(async () => {
      this.#ended = true;
      if (this.#recorder.state === 'recording') await this.#stop().catch(() => {}); // told already
      if (this.#recorder.state === 'review') await this.#keep({});
    });
    const { sourceError } = this.#recorder;
    if (sourceError) this.#report(sourceError.message);
    this.#lossy ||= sourceError !== undefined;
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(step).finally(() => this.#changed());
    this.#tail = done.catch(() => {}); // told to whoever gave the command
    return done;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  async #obey(command: RecordingCommand): Promise<void> {
    if (this.#ended) throw new UsageError(`Cannot ${command.kind}: the session has ended.`);
    switch (command.kind) {
      case 'start':
        return this.#start();
      case 'stop':
        return this.#stop();
      case 'toggle':
        if (this.#recorder.state === 'recording') return this.#stop();
        if (this.#recorder.state === 'review') await this.#keep({});
        return this.#start();
      case 'keep':
        return this.#keep(command);
      case 'discard':
        await this.#recorder.discardTake();
        this.#discarded++;
        break;
      case 'mistake':
        this.#recorder.mark({
          ...{ event: 'mistake', by: this.#description.operator },
          ...(command.text && { text: command.text }),
        });
        break;
      case 'pause':
      case 'resume':
        this.#recorder.mark({ event: command.kind, by: this.#description.operator });
        break;
      case 'quality':
        this.#quality = command.value;
        break;
      case 'describe':
        this.#describe(command);
        break;
      default:
        throw new TypeError(`Unknown command ${JSON.stringify(command satisfies never)}`);
    }
  }

  /** Whoever takes over gets what the plan has for him, unless he says otherwise. */
  #describe(said: Description): void {
    const before = this.#description;
    const after = described(before, said, this.#options.contract);
    this.#description = after;
    if (after.operator === before.operator) return;
    this.#followPlan();
    this.#description = described(this.#description, said, this.#options.contract);
  }

  #followPlan(): void {
    const next = this.#options.collection?.status(this.#description.operator).next;
    if (!next) return;
    const { task, scene, object } = next.target;
    this.#description = described(this.#description, { task, scene, object }, this.#options.contract);
  }

  #start(): Promise<void> {
    return this.#toldOf(async () => {
      await this.#recorder.startTake(this.#description);
      this.#trouble = undefined;
      this.#quality = undefined;
    });
  }

  #stop(): Promise<void> {
    return this.#toldOf(async () => {
      const finished = await this.#recorder.stopTake();
      this.#finished = finished;
      this.#checked = undefined;
      this.#options.onTake?.(finished);
      void finished.checked.then((checked) => {
        if (this.#finished !== finished) return; // the next take is over already
        this.#checked = checked;
        this.#changed();
      });
    });
  }

  async #keep({ outcome, quality = this.#quality, note }: TakeVerdict): Promise<void> {
    const finished = this.#finished;
    await this.#recorder.keepTake(
      { ...(outcome && { outcome }), ...(quality !== undefined && { quality }), ...(note && { note }) },
      this.#description.operator,
    );
    this.#kept++;
    this.#lossy ||=
      finished !== undefined && untoleratedLosses(finished.ledger, this.#options.contract).length > 0;
    await this.#options.collection?.look().catch((error: Error) => this.#report(error.message));
    this.#followPlan();
  }

  /** A disk that fails ends the take, not the session: the operator may mend it and start again. */
  async #toldOf(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof RecordError) {
        this.#lossy = true;
        this.#report(error.message);
      }
      throw error;
    }
  }

  #look(): void {
    const { state, durationSecs, storage, failure } = this.#recorder.status();
    if (state !== 'recording') return;
    const tooLong = durationSecs > this.#options.contract.episode.maxDurationSecs;
    if (!(tooLong || storage.exhausted || failure)) return;
    if (failure) this.#report(failure.message);
    else if (storage.exhausted)
      this.#report('The disk is full: the take is ended. Make room and start again.');
    this.#inTurn(async () => {
      if (this.#recorder.state === 'recording') await this.#stop();
    }).catch(() => {}); // told already
  }

  #report(message: string): void {
    if (message === this.#trouble) return;
    this.#trouble = message;
    this.#options.onTrouble?.(message);
    this.#changed();
  }
}
