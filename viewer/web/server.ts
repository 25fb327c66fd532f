import type { Statement } from '../../schemas/labels.ts';
import type { RecordingCommand } from '../../schemas/recording-control.ts';
import type {
  EpisodeFacts,
  EpisodeFindings,
  EpisodeLabels,
  EpisodeList,
  EpisodeNeighbours,
  Json,
  LibraryEvent,
  RecordingNow,
} from '../api.ts';
import { decodeServerBinary } from '../protocol-server.ts';

/** What the page asks its server over HTTP; the token of the page's own address goes along. */

const token = new URLSearchParams(location.search).get('token');

/** What a query is made of: the page's own address, or names and values. */
export type Query = URLSearchParams | Readonly<Record<string, string>>;

function address(path: string, query: Query = {}): URL {
  const url = new URL(path, location.href);
  const pairs = query instanceof URLSearchParams ? query : Object.entries(query);
  for (const [name, value] of pairs) if (value !== '') url.searchParams.set(name, value);
  if (token) url.searchParams.set('token', token);
  return url;
}

export function webSocketAddress(episodeId: string): string {
  const url = address('/', { episode: episodeId });
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** What the page's own address says of a list: search, filters and order. */
export function listQuery(): URLSearchParams {
  const query = new URLSearchParams(location.search);
  for (const name of ['token', 'episode', 't']) query.delete(name);
  return query;
}

/** The page's own address for an episode, or without one for the library; the list stays as it is. */
export function pageAddress(episodeId = '', list: Query = listQuery()): string {
  const url = address('/', list);
  if (episodeId) url.searchParams.set('episode', episodeId);
  return url.href;
}

/** The recording screen's address, for links. */
export function recordingAddress(): string {
  return address('/record').href;
}

export function fileAddress(episodeId: string): string {
  return address(`/files/${encodeURIComponent(episodeId)}.mcap`).href;
}

export function thumbnailsAddress(episodeId: string): string {
  return episodeAddress(episodeId, '/thumbnails.jpg').href;
}

/** A part of the list that a query gives. */
export function fetchEpisodes(query: Query = {}, signal?: AbortSignal): Promise<EpisodeList> {
  return fetchJson<EpisodeList>(address('/api/episodes', query), { signal: signal ?? null });
}

export function fetchFacts(episodeId: string): Promise<EpisodeFacts> {
  return fetchJson<EpisodeFacts>(episodeAddress(episodeId));
}

export function fetchNeighbours(episodeId: string, query: Query): Promise<EpisodeNeighbours> {
  return fetchJson<EpisodeNeighbours>(episodeAddress(episodeId, '/neighbours', query));
}

export async function fetchFindings(episodeId: string): Promise<EpisodeFindings['report']> {
  return (await fetchJson<EpisodeFindings>(episodeAddress(episodeId, '/findings'))).report;
}

export function fetchLabels(episodeId: string): Promise<EpisodeLabels> {
  return fetchJson<EpisodeLabels>(episodeAddress(episodeId, '/labels'));
}

export function sendStatement(episodeId: string, statement: Json<Statement>): Promise<EpisodeLabels> {
  return fetchJson<EpisodeLabels>(episodeAddress(episodeId, '/labels'), jsonPost(statement));
}

/**
 * Calls back with the id of an episode that others changed, and with none after a time in which changes may have
 * gone by. A page that nobody sees holds no connection: browsers allow only a few.
 *
 * @returns the end of it.
 */
export function watchLibrary(changed: (episodeId: string | undefined) => void): () => void {
  let events: EventSource | undefined;
  const follow = () => {
    events?.close();
    events = undefined;
    if (document.hidden) return;
    events = new EventSource(address('/api/events'));
    events.onopen = () => changed(undefined);
    events.onmessage = ({ data }) => changed((JSON.parse(String(data)) as LibraryEvent).id);
  };
  follow();
  document.addEventListener('visibilitychange', follow);
  return () => {
    document.removeEventListener('visibilitychange', follow);
    events?.close();
  };
}

function episodeAddress(episodeId: string, path = '', query: Query = {}): URL {
  return address(`/api/episodes/${encodeURIComponent(episodeId)}${path}`, query);
}

const RECORDING = '/api/recording';
/** Longer than any post-roll, after which a stop is answered. */
const COMMAND_MILLIS = 75_000;

export function recordingEvents(): EventSource {
  return new EventSource(address(`${RECORDING}/events`));
}

export function fetchRecording(): Promise<RecordingNow> {
  return fetchJson<RecordingNow>(address(RECORDING));
}

export function sendCommand(command: RecordingCommand): Promise<RecordingNow> {
  return fetchJson<RecordingNow>(address(RECORDING), {
    ...jsonPost(command),
    signal: AbortSignal.timeout(COMMAND_MILLIS),
  });
}

function jsonPost(body: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
}

async function fetchJson<T>(url: URL, init: RequestInit = {}): Promise<T> {
  const response = await fetch(url, init);
  const body: unknown = await response.json();
  // The server is of the same version as the page that it serves.
  if (response.ok) return body as T;
  throw new Error((body as { error?: string }).error ?? response.statusText);
}

export interface StoredMessage {
  readonly logTime: bigint;
  readonly payload: Uint8Array;
}

/** Every message of a topic, thinned out where there are more than a plot can show. */
export async function fetchMessages(episodeId: string, topic: string): Promise<readonly StoredMessage[]> {
  const response = await fetch(episodeAddress(episodeId, '/messages', { topic }));
  if (!response.ok) throw new Error(`${topic}: ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const messages: StoredMessage[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + view.getUint32(at, true);
    const frame = decodeServerBinary(bytes.subarray(at + 4, end));
    if (frame?.op === 'messageData') messages.push(frame);
    at = end;
  }
  return messages;
}
