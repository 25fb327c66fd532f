import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  appendLabel,
  currentLabels,
  type LabelEntry,
  readLabelsFile,
  statementSchema,
} from '../schemas/labels.ts';
import { z } from '../schemas/validation.ts';
import { sendJson } from './json.ts';
import { readJson } from './json-body.ts';
import type { LibraryEvents } from './library-events.ts';
import type { ShelvedEpisode } from './shelf.ts';

/** A note of the greatest length, every character of it escaped. */
const MAX_STATEMENT_BYTES = 128 << 10;

/** What was said of an episode, all of it and what of it holds. */
export async function sendLabels(response: ServerResponse, { file }: ShelvedEpisode, status = 200) {
  const { entries, unreadableLines } = await readLabelsFile(file);
  sendJson(response, { current: currentLabels(entries), entries, unreadableLines }, status);
}

/** Takes down one statement and answers with all that was said since. */
export async function addLabel({ request, response, episode, events }: Desk): Promise<void> {
  const body = await readJson(request, response, { maxBytes: MAX_STATEMENT_BYTES, noun: 'A statement' });
  if (body === undefined) return;
  const parsed = statementSchema.safeParse(body.json);
  if (!parsed.success) {
    sendJson(response, { error: `Not a statement: ${z.prettifyError(parsed.error)}` }, 400);
    return;
  }
  const { entries } = await readLabelsFile(episode.file);
  const known = new Set(entries.map(({ id }) => id));
  const statement = parsed.data;
  const missing = namedBy(statement).find((id) => !known.has(id));
  if (missing !== undefined) {
    sendJson(response, { error: `Nothing was said of "${episode.id}" under the id "${missing}"` }, 409);
    return;
  }
  const isRepeated = statement.id !== undefined && known.has(statement.id);
  if (!isRepeated) {
    const { id, ...said } = statement;
    await appendLabel(episode.file, { ...said, ...(id && { id }), time: new Date().toISOString() });
    events.announce({ id: episode.id });
  }
  await sendLabels(response, episode, isRepeated ? 200 : 201);
}

interface Desk {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly episode: ShelvedEpisode;
  readonly events: LibraryEvents;
}

/** Entries that a statement speaks of. */
function namedBy({ replaces, label }: Pick<LabelEntry, 'replaces' | 'label'>): readonly string[] {
  return [replaces, label.kind === 'undo' ? label.entry : undefined].filter((id) => id !== undefined);
}
