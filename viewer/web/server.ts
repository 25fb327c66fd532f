import type { RecordingCommand } from '../../schemas/recording-control.ts';
import type { EpisodeFacts, EpisodeList, RecordingNow } from '../api.ts';
import { decodeServerBinary } from '../protocol-server.ts';

/** What the page asks its server over HTTP; the token of the page's own address goes along. */

const token = new URLSearchParams(location.search).get('token');

function address(path: string, query: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (token) url.searchParams.set('token', token);
  return url;
}

export function webSocketAddress(episodeId: string): string {
  const url = address('/', { episode: episodeId });
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** The page's own address for an episode, or without one for the first, for links. */
export function pageAddress(episodeId?: string): string {
  return address('/', episodeId ? { episode: episodeId } : {}).href;
}

/** The recording screen's address, for links. */
export function recordingAddress(): string {
  return address('/record').href;
}

export function fileAddress(episodeId: string): string {
  return address(`/files/${encodeURIComponent(episodeId)}.mcap`).href;
}

export function fetchEpisodes(): Promise<EpisodeList> {
  return fetchJson<EpisodeList>(address('/api/episodes'));
}

export function fetchFacts(episodeId: string): Promise<EpisodeFacts> {
  return fetchJson<EpisodeFacts>(address(`/api/episodes/${encodeURIComponent(episodeId)}`));
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
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(command),
    signal: AbortSignal.timeout(COMMAND_MILLIS),
  });
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
  const path = `/api/episodes/${encodeURIComponent(episodeId)}/messages`;
  const response = await fetch(address(path, { topic }));
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
