import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { AdditionsOf } from '../schemas/replay-addition.ts';
import { requestUrl } from './access.ts';
import { contractOf, episodeFacts } from './episode-facts.ts';
import { sendFile } from './files.ts';
import { sendJson } from './json.ts';
import { LAYOUT_FORMATS, layoutOf } from './layout.ts';
import { addedTopics, layoutTopics } from './layout-topics.ts';
import type { EpisodeShelf, ShelvedEpisode } from './shelf.ts';
import { topicMessages } from './topic-messages.ts';

/** What the server answers over HTTP of one episode's recording. Everything here is reading. */

interface Exchange {
  readonly shelf: EpisodeShelf;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What a replay adds to an episode. */
  readonly additionsOf: AdditionsOf | undefined;
}

interface Route {
  readonly pattern: RegExp;
  /** The first group of the pattern names the episode; later ones are the rest. */
  answer(exchange: Exchange, episode: ShelvedEpisode, rest: string): Promise<void>;
}

const DEFAULT_MESSAGES = 10_000;
const MAX_MESSAGES = 100_000;

const ROUTES: readonly Route[] = [
  {
    pattern: /^\/api\/episodes\/([^/]+)$/,
    answer: async ({ shelf, response }, episode) => sendJson(response, await episodeFacts(shelf, episode)),
  },
  {
    pattern: /^\/api\/episodes\/([^/]+)\/messages$/,
    answer: async ({ shelf, request, response }, shelved) => {
      const { searchParams } = requestUrl(request);
      const wanted = Number(searchParams.get('maxMessages') ?? DEFAULT_MESSAGES);
      await using episode = await shelf.borrow(shelved);
      const messages = topicMessages(episode.reader, {
        topic: searchParams.get('topic') ?? '',
        maxMessages: wanted >= 1 && wanted <= MAX_MESSAGES ? wanted : DEFAULT_MESSAGES,
      });
      response.setHeader('Content-Type', 'application/octet-stream');
      await pipeline(messages, response);
    },
  },
  {
    pattern: /^\/files\/([^/]+)\.mcap$/,
    answer: ({ request, response }, { file }) =>
      sendFile(request, response, { file, mediaType: 'application/octet-stream' }),
  },
  {
    pattern: new RegExp(`^/layouts/([^/]+)\\.(${LAYOUT_FORMATS.join('|')})\\.json$`),
    answer: async ({ shelf, response, additionsOf }, shelved, name) => {
      await using episode = await shelf.borrow(shelved);
      const added = (await additionsOf?.(episode.reader))?.flatMap(({ channels }) => channels) ?? [];
      const recorded = await layoutTopics(episode.reader, await contractOf(episode.reader));
      const topics = [...recorded, ...addedTopics(added)];
      const format = LAYOUT_FORMATS.find((each) => each === name);
      sendJson(response, layoutOf(topics, format ?? 'lichtblick'));
    },
  },
];

/**
 * Answers a request that was found to be welcome.
 *
 * @returns false where there is nothing under this path.
 */
export async function answerRequest(exchange: Exchange): Promise<boolean> {
  const { shelf, request } = exchange;
  const { pathname } = requestUrl(request);
  for (const { pattern, answer } of ROUTES) {
    const [, id, rest = ''] = pattern.exec(pathname) ?? [];
    const episode = id === undefined ? undefined : await shelf.find(decode(id));
    if (!episode) continue;
    await answer(exchange, episode, rest);
    return true;
  }
  return false;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray "%" names nothing
  }
}
