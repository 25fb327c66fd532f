import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FindingsFile, findingsFileSchema } from '../schemas/finding.ts';
import { findingsFileOf } from '../schemas/library-entry.ts';
import { z } from '../schemas/validation.ts';
import { requestUrl } from './access.ts';
import type { EpisodeList } from './api.ts';
import { Catalogue } from './catalogue.ts';
import { type EpisodeQuery, episodeQuerySchema } from './episode-query.ts';
import { sendJson } from './json.ts';
import { addLabel, sendLabels } from './label-desk.ts';
import { LibraryEvents } from './library-events.ts';
import { OPENAPI } from './openapi.ts';
import type { EpisodeShelf, ShelvedEpisode } from './shelf.ts';
import { Thumbnails } from './thumbnails.ts';

export interface LibraryDeskOptions {
  /** Whether a recording session is served beside the library. */
  readonly isRecording: boolean;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The episode that the path names, of a route that names one. */
  readonly episode: ShelvedEpisode;
}

type Answer = (exchange: Exchange) => Promise<void> | void;

/** Serves the library over HTTP: which episodes there are, their pictures, what the checks and people say of them. */
export class LibraryDesk {
  readonly #shelf: EpisodeShelf;
  readonly #catalogue: Catalogue;
  readonly #thumbnails: Thumbnails;
  readonly #events: LibraryEvents;
  readonly #isRecording: boolean;
  /** By method and path; `{id}` stands for an episode. */
  readonly routes: ReadonlyMap<string, Answer>;

  constructor(shelf: EpisodeShelf, { isRecording }: LibraryDeskOptions) {
    this.#shelf = shelf;
    this.#isRecording = isRecording;
    this.#catalogue = new Catalogue(shelf);
    this.#thumbnails = new Thumbnails(shelf);
    this.#events = new LibraryEvents(shelf);
    this.routes = new Map<string, Answer>([
      ['GET /api/openapi.json', ({ response }) => sendJson(response, OPENAPI)],
      ['GET /api/events', ({ response }) => this.#events.admit(response)],
      ['GET /api/episodes', (exchange) => this.#list(exchange)],
      ['GET /api/episodes/{id}/neighbours', (exchange) => this.#neighbours(exchange)],
      ['GET /api/episodes/{id}/labels', ({ response, episode }) => sendLabels(response, episode)],
      ['POST /api/episodes/{id}/labels', (exchange) => addLabel({ ...exchange, events: this.#events })],
      ['GET /api/episodes/{id}/findings', sendFindings],
      ['GET /api/episodes/{id}/thumbnails.jpg', (exchange) => this.#sendStrip(exchange)],
    ]);
  }

  /**
   * Answers a request that was found to be welcome.
   *
   * @returns false where it is none of ours.
   */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname } = requestUrl(request);
    const [, start = '', id = '', end = ''] = /^(\/api\/episodes\/)([^/]+)(\/.+)$/.exec(pathname) ?? [];
    const path = id ? `${start}{id}${end}` : pathname;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const answer = this.routes.get(`${method} ${path}`);
    if (!answer) return false;
    const episode = id ? await this.#shelf.find(decoded(id)) : NO_EPISODE;
    if (!episode) return false;
    await answer({ request, response, episode });
    return true;
  }

  close(): void {
    this.#events.close();
    this.#catalogue.close();
  }

  async #list({ request, response }: Exchange): Promise<void> {
    const query = queryOf(request, response);
    if (!query) return;
    const list = await this.#catalogue.list(query);
    sendJson(response, { ...list, isRecording: this.#isRecording } satisfies EpisodeList);
  }

  async #neighbours({ request, response, episode }: Exchange): Promise<void> {
    const query = queryOf(request, response);
    if (query) sendJson(response, await this.#catalogue.neighbours(episode.id, query));
  }

  async #sendStrip({ response, episode }: Exchange): Promise<void> {
    const strip = await this.#thumbnails.strip(episode);
    if (!strip) {
      sendJson(response, { error: `"${episode.id}" has no pictures that can be decoded` }, 404);
      return;
    }
    response.setHeader('Cache-Control', 'private, max-age=3600');
    response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': strip.length }).end(strip);
  }
}

/** Stands where a path names none. */
const NO_EPISODE: ShelvedEpisode = { id: '', file: '', folder: undefined };

/** Undefined where it is none, which the sender has been told then. */
function queryOf(request: IncomingMessage, response: ServerResponse): EpisodeQuery | undefined {
  const parsed = episodeQuerySchema.safeParse(
    Object.fromEntries([...requestUrl(request).searchParams].filter(([, value]) => value !== '')),
  );
  if (parsed.success) return parsed.data;
  sendJson(response, { error: `Not a query of episodes: ${z.prettifyError(parsed.error)}` }, 400);
  return undefined;
}

/** A report of another version counts as none, like one that is not there. */
async function sendFindings({ response, episode }: Exchange): Promise<void> {
  const text = await readFile(findingsFileOf(episode.file), 'utf8').catch(() => 'null');
  const report = findingsFileSchema.safeParse(parsedJson(text)).data;
  sendJson(response, { report: report ?? null } satisfies { report: FindingsFile | null });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray "%" names nothing
  }
}
