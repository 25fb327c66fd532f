import { z } from './validation.ts';

/** File names: `<id>.mcap`, `<id>.mcap.part` while open, `<id>.labels.jsonl` for later knowledge. */
export const EPISODE_SUFFIX = '.mcap';
export const PART_SUFFIX = '.mcap.part';
export const LABELS_SUFFIX = '.labels.jsonl';

/** Names of the MCAP metadata records; where several bear one name, the last one holds. */
export const EPISODE_RECORD = 'kinescribe.episode';
export const LEDGER_RECORD = 'kinescribe.ledger';
/** Written by recovery: what was lost and why. */
export const RECOVERY_RECORD = 'kinescribe.recovery';
/** Written by import: the dataset that an episode is from, and its files by sha256. */
export const IMPORT_RECORD = 'kinescribe.import';

/** Name of the MCAP attachment that holds the contract's text. */
export const CONTRACT_ATTACHMENT = 'contract.yaml';

const infoSchema = z.object({
  id: z.string().min(1),
  /** Name and digest of the contract the take was recorded under. */
  contract: z.string(),
  contractDigest: z.string(),
  robot: z.string(),
  task: z.string(),
  operator: z.string(),
  /** One per run of the recorder: takes that share their day, light, calibration and people. */
  session: z.string().optional(),
  /** Where, and with what, in the words of the contract's lists. */
  scene: z.string().optional(),
  object: z.string().optional(),
  /** `ros2`, `foxglove`, `demo`. */
  source: z.string(),
  /** Version of this program. */
  recorderVersion: z.string(),
  /** Log time of the start control, nanoseconds. */
  startTime: z.string().regex(/^\d+$/),
  /** System clock and monotonic clock at the anchor of logTime, nanoseconds; see MonotonicClock. */
  clockSystemTime: z.string().regex(/^\d+$/),
  clockMonotonicNanos: z.string().regex(/^\d+$/),
});

/** What was known when the take began; written first, so that a recovered file still says what it is. */
export type EpisodeInfo = Readonly<z.infer<typeof infoSchema>>;

/** Reads the episode record's fields; unknown fields are kept out, missing ones make it undefined. */
export function parseEpisodeInfo(fields: ReadonlyMap<string, string>): EpisodeInfo | undefined {
  const parsed = infoSchema.safeParse(Object.fromEntries(fields));
  return parsed.success ? parsed.data : undefined;
}

/** Where a take stands between two starts. */
export type EpisodeState = 'idle' | 'recording' | 'review';

/** How a take ended, in the operator's words. */
export type Outcome = 'success' | 'failure';
