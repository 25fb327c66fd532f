import type { TargetProgress } from './collection-plan.ts';
import type { EpisodeState } from './episode.ts';
import type { Loss } from './ledger.ts';
import type { TakeFindings } from './message-observer.ts';
import { z } from './validation.ts';

/** What one topic did in the running take, or since the last one ended. */
export interface StreamStatus {
  readonly topic: string;
  /** Name in the contract; undefined for a topic that the contract does not know. */
  readonly stream: string | undefined;
  readonly received: number;
  readonly bytes: number;
  readonly lost: number;
  /** Messages per second over the last two seconds. */
  readonly rateHz: number;
  /** Messages per second that the contract asks for; undefined where it asks for none. */
  readonly expectedRateHz: number | undefined;
  /** Now minus the last receive time, or minus the take's start before the first message; seconds. */
  readonly silentSecs: number;
  /** The longest time without a message so far, up to now, seconds; by sensor time where there is one. */
  readonly largestGapSecs: number;
  /** How old its last message was when it arrived, seconds; undefined without a sensor time. */
  readonly ageSecs: number | undefined;
  /** The gravest thing that is wrong with it now; undefined while all is well. */
  readonly trouble: StreamTrouble | undefined;
}

/**
 * `silent`: nothing for longer than its largest gap. `lossy`: the running take misses messages of it, or, between
 * takes, some went missing just now. `slow`: well below its rate. `runaway`: its sensor time moves away from the
 * receiving clock, because the sensor's clock stands still, is set, or its messages pile up on the way.
 */
export type StreamTrouble = 'silent' | 'lossy' | 'slow' | 'runaway';

/** The space of the library's file system. */
export interface StorageStatus {
  /** Bytes that a take may still use, those of discarded takes among them. */
  readonly freeBytes: number;
  /** What the running take's file grows by, else the last one's, bytes per second; undefined before the first. */
  readonly bytesPerSec: number | undefined;
  /** How long recording can go on at that rate, seconds; undefined without a rate. */
  readonly secsLeft: number | undefined;
  /** How many takes like the last one still fit; undefined before the first. */
  readonly takesLeft: number | undefined;
  /** Whether a take must end now, or must not begin. */
  readonly exhausted: boolean;
}

/** A take whose file is complete and that waits for the operator's word. */
export interface TakeInReview {
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
  readonly durationSecs: number;
  readonly losses: readonly Loss[];
  /** What the checks make of it; undefined until they have, or without checks. */
  readonly checked: Pick<TakeFindings, 'verdict' | 'reasons'> | undefined;
}

/** How far the plan of the library is. */
export interface PlanStatus {
  /** What the next take should be of; undefined where nothing is left for this operator. */
  readonly next: TargetProgress | undefined;
  /** Takes of all targets that the library holds, and that the plan asks for. */
  readonly done: number;
  readonly count: number;
}

/** Everything an operator needs to see. */
export interface RecordingStatus {
  readonly state: EpisodeState;
  /** Id of the take that is recorded or in review. */
  readonly episodeId: string | undefined;
  readonly durationSecs: number;
  /** Whether the running take is marked as paused. */
  readonly paused: boolean;
  /** Bytes that have arrived and are not yet in the file. */
  readonly queuedBytes: number;
  /** Those of the contract first and in its order. */
  readonly streams: readonly StreamStatus[];
  readonly storage: StorageStatus;
  /** What the checks find wrong with the running take, in words, the gravest first. */
  readonly wrong: readonly string[];
  readonly review: TakeInReview | undefined;
  /** What the take in review will be kept with, 1 poor to 5 excellent; undefined where nobody said. */
  readonly quality: number | undefined;
  /** One per run of the recorder; stored in every take. */
  readonly session: string;
  /** What the next take is of and who records it. */
  readonly task: string;
  readonly operator: string;
  /** Undefined where nobody said. */
  readonly scene: string | undefined;
  readonly object: string | undefined;
  /** What the contract lets one choose from. */
  readonly tasks: readonly string[];
  readonly operators: readonly string[];
  readonly scenes: readonly string[];
  readonly objects: readonly string[];
  /** Undefined without a plan. */
  readonly plan: PlanStatus | undefined;
  /** Takes of this session. */
  readonly kept: number;
  readonly discarded: number;
  /** The last thing that went wrong, in words; undefined while all is well. */
  readonly trouble: string | undefined;
}

/** What an operator can say, whatever the key, pedal or page it came from. */
export const recordingCommandSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start') }),
  z.strictObject({ kind: z.literal('stop') }),
  /** For a single button: starts, stops, or keeps the take in review and starts the next. */
  z.strictObject({ kind: z.literal('toggle') }),
  z.strictObject({
    kind: z.literal('keep'),
    outcome: z.enum(['success', 'failure']).optional(),
    quality: z.int().min(1).max(5).optional(),
    note: z.string().max(10_000).optional(),
  }),
  z.strictObject({ kind: z.literal('discard') }),
  /** Only marked: everything is recorded on, and whoever makes samples may leave the span out. */
  z.strictObject({ kind: z.literal('pause') }),
  z.strictObject({ kind: z.literal('resume') }),
  z.strictObject({ kind: z.literal('mistake'), text: z.string().max(1000).optional() }),
  /** Sets the quality that the take in review will be kept with. */
  z.strictObject({ kind: z.literal('quality'), value: z.int().min(1).max(5) }),
  z.strictObject({
    kind: z.literal('describe'),
    task: z.string().optional(),
    operator: z.string().min(1).optional(),
    /** Null takes the word back. */
    scene: z.string().min(1).nullable().optional(),
    object: z.string().min(1).nullable().optional(),
  }),
]);

export type RecordingCommand = Readonly<z.infer<typeof recordingCommandSchema>>;

/** One recording session as its operators hold it; several may at once. */
export interface RecordingControl {
  status(): RecordingStatus;
  /**
   * Calls back after every command and every trouble, not for counts that only grow.
   *
   * @returns ends the calls.
   */
  listen(changed: () => void): () => void;
  /**
   * Carries out a command; commands of all operators are carried out one after another.
   *
   * @throws {UsageError} when the state does not allow it: a second "start" does not start a second take.
   * @throws {RecordError} when the disk fails; the session goes on.
   */
  command(command: RecordingCommand): Promise<void>;
}
