import { createHash, randomUUID } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { EPISODE_SUFFIX, LABELS_SUFFIX } from './episode.ts';
import { nanosText, z } from './validation.ts';

/** Half-open, log time; equal ends name an instant. */
const span = { startTime: nanosText, endTime: nanosText };
const isOrdered = ({ startTime, endTime }: { startTime: bigint; endTime: bigint }) => startTime <= endTime;
const ORDER_RULE = 'a span ends at or after its start';

const keptRange = z
  .strictObject(span)
  .refine(({ startTime, endTime }) => startTime < endTime, 'a kept range holds some time');

const labelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('outcome'), value: z.enum(['success', 'failure']) }),
  /** 1 poor to 5 excellent. */
  z.strictObject({ kind: z.literal('quality'), value: z.int().min(1).max(5) }),
  z.strictObject({ kind: z.literal('note'), value: z.string().max(10_000) }),
  /** Whether training shall see the episode; the file stays either way. */
  z.strictObject({ kind: z.literal('decision'), value: z.enum(['keep', 'discard']) }),
  /** The parts that training shall see, in order and apart from each other. */
  z.strictObject({
    kind: z.literal('trim'),
    ranges: z
      .array(keptRange)
      .min(1)
      .refine(
        (ranges) => ranges.every((range, i) => i === 0 || ranges[i - 1]!.endTime < range.startTime),
        'kept ranges are in order and apart from each other',
      ),
  }),
  /** Names a span or an instant: `mistake`, `grasp`. */
  z
    .strictObject({ kind: z.literal('mark'), name: z.string().min(1).max(200), ...span })
    .refine(isOrdered, ORDER_RULE),
  /** Says that a finding of the checks, by its id, does not count here. */
  z.strictObject({
    kind: z.literal('waiver'),
    finding: z.string().min(1),
    reason: z.string().min(1).max(10_000),
  }),
  /** Stands in the place of what its entry replaces, and says nothing. */
  z.strictObject({ kind: z.literal('removal') }),
  /** Makes an entry count as never made; an undo of an undo is a redo. */
  z.strictObject({ kind: z.literal('undo'), entry: z.string().min(1) }),
]);

/** What someone says of an episode, without who and when. */
export const statementSchema = z
  .strictObject({
    /** Chosen by whoever says it, so that saying it again adds nothing. */
    id: z.string().min(1).max(100).optional(),
    author: z.string().min(1).max(200),
    /** Id of the entry in whose place this one stands. */
    replaces: z.string().min(1).optional(),
    label: labelSchema,
  })
  .refine(
    ({ replaces, label }) => label.kind !== 'removal' || replaces !== undefined,
    'a removal names what it replaces',
  );

export const labelEntrySchema = z.strictObject({
  ...statementSchema.shape,
  id: z.string().min(1),
  /** When it was said, RFC 3339. */
  time: z.iso.datetime(),
});

export type Statement = Readonly<z.infer<typeof statementSchema>>;
export type Label = Readonly<z.infer<typeof labelSchema>>;
/** One statement about an episode, for ever; `currentLabels()` says what holds now. */
export type LabelEntry = Readonly<z.infer<typeof labelEntrySchema>>;
/** An entry of one kind. */
export type EntryOf<K extends Label['kind']> = LabelEntry & { readonly label: Extract<Label, { kind: K }> };

/** The append-only file beside an episode that holds what was learnt after recording. */
export function labelsFileOf(episodeFile: string): string {
  return episodeFile.slice(0, -EPISODE_SUFFIX.length) + LABELS_SUFFIX;
}

/**
 * Appends one statement and waits until it is on disk. Any number of processes may do so at once: a line is
 * one write at the file's end.
 *
 * @returns the entry as it was written, with an id of its own where none was given.
 */
export async function appendLabel(
  episodeFile: string,
  statement: Omit<LabelEntry, 'id'> & { readonly id?: string },
): Promise<LabelEntry> {
  const entry: LabelEntry = { id: randomUUID(), ...statement };
  const line = `${JSON.stringify(z.encode(labelEntrySchema, entry))}\n`;
  await using file = await open(labelsFileOf(episodeFile), 'a+');
  const { size } = await file.stat();
  const last = Buffer.alloc(1);
  if (size > 0) await file.read(last, 0, 1, size - 1);
  // A line that a crash cut off must not swallow this one.
  const isCutOff = size > 0 && last.toString() !== '\n';
  await file.appendFile(isCutOff ? `\n${line}` : line);
  await file.datasync();
  return entry;
}

/** What a labels file holds. */
export interface LabelsFile {
  /** In the order in which they were made. */
  readonly entries: readonly LabelEntry[];
  /** Lines that a crash cut off, or that only a later version understands; they stay in the file. */
  readonly unreadableLines: number;
}

export async function readLabelsFile(episodeFile: string): Promise<LabelsFile> {
  let text: string;
  try {
    text = await readFile(labelsFileOf(episodeFile), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { entries: [], unreadableLines: 0 };
    throw error;
  }
  const lines = text.split('\n').filter(Boolean);
  const read = lines.map(parseLine).filter((entry) => entry !== undefined);
  // Copies of a file that were put together hold the same entries twice.
  const entries = [...new Map(read.map((entry) => [entry.id, entry])).values()];
  entries.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
  return { entries, unreadableLines: lines.length - read.length };
}

/** All statements that can be read, in the order in which they were made. */
export async function readLabels(episodeFile: string): Promise<readonly LabelEntry[]> {
  return (await readLabelsFile(episodeFile)).entries;
}

function parseLine(line: string): LabelEntry | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined; // cut off
  }
  // The first version wrote no ids; equal lines say the same.
  const id = createHash('sha256').update(line).digest('hex').slice(0, 32);
  const parsed = labelEntrySchema.safeParse(typeof json === 'object' ? { id, ...json } : json);
  return parsed.success ? parsed.data : undefined;
}

/** What holds now; each with its author, time and id, so that it can be replaced. */
export interface CurrentLabels {
  readonly outcome: EntryOf<'outcome'> | undefined;
  readonly quality: EntryOf<'quality'> | undefined;
  readonly note: EntryOf<'note'> | undefined;
  readonly decision: EntryOf<'decision'> | undefined;
  /** Undefined where the whole episode is kept. */
  readonly trim: EntryOf<'trim'> | undefined;
  /** By start time. */
  readonly marks: readonly EntryOf<'mark'>[];
  /** One per finding. */
  readonly waivers: readonly EntryOf<'waiver'>[];
}

/**
 * What holds now of all that was said: entries that were neither undone nor replaced, of several about the
 * same thing the last. An edit and a removal of the same mark by two reviewers leave the edit. Nothing depends
 * on the order of lines, so that two copies of a file merge by putting one behind the other.
 */
export function currentLabels(entries: readonly LabelEntry[]): CurrentLabels {
  const standing = standingEntries(entries);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const of = <K extends Label['kind']>(kind: K) =>
    standing.filter((entry): entry is EntryOf<K> => entry.label.kind === kind);
  const latest = <T>(list: readonly T[], thing: (entry: T) => string) => [
    ...new Map(list.map((entry) => [thing(entry), entry])).values(),
  ];
  const origin = ({ id, replaces }: LabelEntry, seen = new Set([id])): string => {
    const earlier = replaces === undefined || seen.has(replaces) ? undefined : byId.get(replaces);
    return earlier ? origin(earlier, seen.add(earlier.id)) : (replaces ?? id);
  };
  return {
    outcome: of('outcome').at(-1),
    quality: of('quality').at(-1),
    note: of('note').at(-1),
    decision: of('decision').at(-1),
    trim: of('trim').at(-1),
    marks: latest(of('mark'), (mark) => origin(mark)).sort((a, b) =>
      Number(a.label.startTime - b.label.startTime),
    ),
    waivers: latest(of('waiver'), ({ label }) => label.finding),
  };
}

type LabelValues = { [L in Extract<Label, { value: unknown }> as L['kind']]: L['value'] };

/** The value that holds now for one kind of label. */
export function currentLabel<K extends keyof LabelValues>(
  entries: readonly LabelEntry[],
  kind: K,
): LabelValues[K] | undefined {
  return currentLabels(entries)[kind]?.label.value as LabelValues[K] | undefined;
}

/** Those that were neither undone nor replaced by one that was not undone. */
function standingEntries(entries: readonly LabelEntry[]): readonly LabelEntry[] {
  const undosOf = Map.groupBy(
    entries.filter((entry): entry is EntryOf<'undo'> => entry.label.kind === 'undo'),
    ({ label }) => label.entry,
  );
  // The path guards against a forged circle of undos.
  const isUndone = (id: string, path: readonly string[] = []): boolean =>
    !path.includes(id) && (undosOf.get(id) ?? []).some((undo) => !isUndone(undo.id, [...path, id]));
  const made = entries.filter(({ id }) => !isUndone(id));
  const replaced = new Set(made.map(({ replaces }) => replaces));
  return made.filter(({ id }) => !replaced.has(id));
}
