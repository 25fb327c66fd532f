import { open, readFile } from 'node:fs/promises';
import { EPISODE_SUFFIX, LABELS_SUFFIX } from './episode.ts';
import { z } from './validation.ts';

const labelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('outcome'), value: z.enum(['success', 'failure']) }),
  z.strictObject({ kind: z.literal('quality'), value: z.int().min(1).max(5) }),
  z.strictObject({ kind: z.literal('note'), value: z.string() }),
]);

const entrySchema = z.strictObject({
  author: z.string().min(1),
  /** When it was said, RFC 3339. */
  time: z.iso.datetime(),
  label: labelSchema,
});

export type Label = Readonly<z.infer<typeof labelSchema>>;
/** One statement about an episode; a later one of the same kind replaces an earlier one. */
export type LabelEntry = Readonly<z.infer<typeof entrySchema>>;

type LabelValues = { [L in Label as L['kind']]: L['value'] };

/** The append-only file beside an episode that holds what was learnt after recording. */
export function labelsFileOf(episodeFile: string): string {
  return episodeFile.slice(0, -EPISODE_SUFFIX.length) + LABELS_SUFFIX;
}

/** Appends one statement and waits until it is on disk. */
export async function appendLabel(episodeFile: string, entry: LabelEntry): Promise<void> {
  await using file = await open(labelsFileOf(episodeFile), 'a');
  await file.appendFile(`${JSON.stringify(entrySchema.parse(entry))}\n`);
  await file.datasync();
}

/** All statements in the order they were made; a last line cut off by a crash is left out. */
export async function readLabels(episodeFile: string): Promise<readonly LabelEntry[]> {
  let text: string;
  try {
    text = await readFile(labelsFileOf(episodeFile), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const lines = text.split('\n');
  lines.pop(); // what follows the last newline was never finished
  return lines.map((line) => entrySchema.parse(JSON.parse(line)));
}

/** The value that holds now for one kind of label. */
export function currentLabel<K extends Label['kind']>(
  entries: readonly LabelEntry[],
  kind: K,
): LabelValues[K] | undefined {
  const last = entries.findLast(({ label }) => label.kind === kind);
  return last?.label.value as LabelValues[K] | undefined;
}
