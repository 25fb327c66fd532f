import { digestText, nanosText, z } from './validation.ts';

/**
 * What a finding may do to an episode: a DEFECT may exclude it, a RISK at most sends it to review, a
 * CHARACTERISTIC only describes.
 */
export const claimSchema = z.enum(['DEFECT', 'RISK', 'CHARACTERISTIC']);

export const findingStatusSchema = z.enum(['pass', 'warn', 'fail', 'info', 'not_assessed']);

/**
 * Where a limit comes from: the robot's contract, the calibration of its rig, the catalogue's default with a
 * source outside of this project, or a default of this project's own that no real robot has validated.
 */
export const limitOriginSchema = z.enum(['contract', 'calibration', 'default', 'own']);

/** Half-open range of log times. */
const windowSchema = z.strictObject({ startTime: nanosText, endTime: nanosText });

const scalar = z.union([z.number(), z.string(), z.boolean()]);

export const findingSchema = z.strictObject({
  /** Same for the same place of the same episode, however often it is checked: `T07/joints/joint3`. */
  id: z.string(),
  /** Stable id of the check in the catalogue: `T07`. */
  check: z.string().regex(/^[A-Z]\d{2}$/),
  claim: claimSchema,
  status: findingStatusSchema,
  /** What was measured; absent where nothing could be. */
  value: z.number().optional(),
  unit: z.string(),
  /** What the value was held against: the limit that it broke, or the nearest one that it did not. */
  limit: z.number().optional(),
  limitOrigin: limitOriginSchema.optional(),
  /** Where to look, log time: the worst place, or all of the episode. */
  window: windowSchema.optional(),
  /** Name in the contract, or the topic of a stream that no contract names. */
  stream: z.string().optional(),
  /** Part of the stream: a joint, an axis, `header.stamp`. */
  channel: z.string().optional(),
  /** What the value rests on: how many were examined, further windows, numbers beside it. */
  evidence: z.record(z.string(), z.union([scalar, z.array(scalar)])),
  /** One sentence for the operator: what was found, or why it was not assessed. */
  reason: z.string(),
});

export type Finding = Readonly<z.infer<typeof findingSchema>>;
export type Claim = z.infer<typeof claimSchema>;
export type FindingStatus = z.infer<typeof findingStatusSchema>;
export type LimitOrigin = z.infer<typeof limitOriginSchema>;

/** PASS: sound. REVIEW: a person should look. EXCLUDE: a defect. UNKNOWN: a required check could not judge. */
export const verdictSchema = z.enum(['PASS', 'REVIEW', 'EXCLUDE', 'UNKNOWN']);
export type Verdict = z.infer<typeof verdictSchema>;

/** Beside an episode; may be thrown away and made again at any time. */
export const FINDINGS_SUFFIX = '.findings.json';

/** All that the checks said of one episode. */
export const findingsFileSchema = z
  .strictObject({
    kinescribe: z.literal(1),
    /** Of the episode that was checked. */
    episodeDigest: digestText,
    /** Of checks, limits and calibration: other limits, other findings. */
    limitsDigest: digestText,
    /** Version of this program. */
    version: z.string(),
    verdict: verdictSchema,
    /** The most important reasons in words, at most three. */
    reasons: z.array(z.string()),
    findings: z.array(findingSchema),
  })
  .readonly();

export type FindingsFile = Readonly<z.infer<typeof findingsFileSchema>>;
