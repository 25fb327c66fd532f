import { readFile } from 'node:fs/promises';
import { EPISODE_SUFFIX } from './episode.ts';
import { EpisodeReader } from './episode-reader.ts';
import { KinescribeError } from './errors.ts';
import { FINDINGS_SUFFIX, findingsFileSchema, verdictSchema } from './finding.ts';
import { currentLabels, readLabels } from './labels.ts';
import { nanosToSecs } from './time.ts';
import { countNumber, z } from './validation.ts';

const text = z.string().nullable();

/** What a list shows of a recording; it never changes, because a recording never does. */
export const recordedPart = z.object({
  /** Why the file cannot be read; everything below is then empty. */
  fault: text,
  /** Log time of the first message, nanoseconds as a decimal string. */
  startTime: z.string(),
  durationSecs: z.number(),
  messageCount: countNumber,
  /** Null for recordings without a ledger. */
  lostMessages: countNumber.nullable(),
  robot: text,
  task: text,
  operator: text,
  session: text,
  scene: text,
  object: text,
});

/** What a list shows of the labels. */
export const labelledPart = z.object({
  outcome: z.enum(['success', 'failure']).nullable(),
  quality: z.int().nullable(),
  decision: z.enum(['keep', 'discard']).nullable(),
  note: text,
});

/** What a list shows of the checks. */
export const checkedPart = z.object({ verdict: verdictSchema.nullable() });

type RecordedPart = z.infer<typeof recordedPart>;
type LabelledPart = z.infer<typeof labelledPart>;
type CheckedPart = z.infer<typeof checkedPart>;

/** What a list shows of an episode. */
export type LibraryEntry = Readonly<RecordedPart & LabelledPart & CheckedPart & { bytes: number }>;

const EMPTY = { durationSecs: 0, messageCount: 0, lostMessages: null };
const NAMELESS = { robot: null, task: null, operator: null, session: null, scene: null, object: null };

/** A file that cannot be read has a part too, which says why. */
export async function readRecordedPart(file: string): Promise<RecordedPart> {
  try {
    await using reader = await EpisodeReader.open(file);
    const [info, ledger] = await Promise.all([reader.info(), reader.ledger()]);
    return {
      fault: null,
      startTime: String(reader.startTime),
      durationSecs: nanosToSecs(reader.endTime - reader.startTime),
      messageCount: reader.messageCount,
      lostMessages: ledger ? ledger.losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0) : null,
      robot: info?.robot ?? null,
      task: info?.task ?? null,
      operator: info?.operator ?? null,
      session: info?.session ?? null,
      scene: info?.scene ?? null,
      object: info?.object ?? null,
    };
  } catch (error) {
    if (!(error instanceof KinescribeError)) throw error;
    return { fault: error.message, startTime: '0', ...EMPTY, ...NAMELESS };
  }
}

export const UNLABELLED: LabelledPart = { outcome: null, quality: null, decision: null, note: null };

export async function readLabelledPart(episodeFile: string): Promise<LabelledPart> {
  const { outcome, quality, decision, note } = currentLabels(await readLabels(episodeFile));
  return {
    outcome: outcome?.label.value ?? null,
    quality: quality?.label.value ?? null,
    decision: decision?.label.value ?? null,
    note: note?.label.value ?? null,
  };
}

export const UNCHECKED: CheckedPart = { verdict: null };

/** A report of another version counts as none: it can be made again at any time. */
export async function readCheckedPart(episodeFile: string): Promise<CheckedPart> {
  try {
    return checkedPart.parse(
      findingsFileSchema.parse(JSON.parse(await readFile(findingsFileOf(episodeFile), 'utf8'))),
    );
  } catch {
    return UNCHECKED;
  }
}

/** The report of the checks beside an episode. */
export function findingsFileOf(episodeFile: string): string {
  return episodeFile.slice(0, -EPISODE_SUFFIX.length) + FINDINGS_SUFFIX;
}
