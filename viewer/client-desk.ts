import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { requestUrl } from './access.ts';
import { ClientStream } from './client-stream.ts';
import { FrameLimit } from './frame-limit.ts';
import { LiveClient, type LiveRecording } from './live-client.ts';
import { PlaybackGroup } from './playback-group.ts';
import type { PlaybackClock } from './player.ts';
import { type ClientFrame, chooseSubprotocol, type Subprotocol } from './protocol.ts';
import { parseClientFrame } from './protocol-parse.ts';
import { ReplayClient } from './replay-client.ts';
import type { ReplayedEpisode, ReplayedEpisodes } from './replayed-episodes.ts';
import { acceptWebSocket, type Connection } from './websocket.ts';

export interface ClientDeskOptions {
  readonly maxClients: number;
  readonly highWaterBytes: number;
  /** Whether playback is one for all clients of an episode. */
  readonly shared: boolean;
  /** What clients see that name no episode; undefined where nothing is being recorded. */
  readonly live: LiveRecording | undefined;
  readonly notice: (line: string) => void;
}

/** A connected client, of a replay or of what is live. */
interface Client {
  handle(frame: ClientFrame): void;
  close(): void | Promise<void>;
}

/** Far above what any client sends. */
const MAX_FRAME_BYTES = 1 << 20;
const SILENCE_MILLIS = 60_000;

/** Admits clients, counts them, reads their frames, and shows them out at the end. */
export class ClientDesk {
  readonly #episodes: ReplayedEpisodes;
  readonly #options: ClientDeskOptions;
  readonly #connections = new Set<Connection>();
  readonly #groups = new Map<string, PlaybackGroup>();
  #arriving = 0;

  constructor(episodes: ReplayedEpisodes, options: ClientDeskOptions) {
    this.#episodes = episodes;
    this.#options = options;
  }

  /** Completes the upgrade of a request that may come in, or says why it cannot. */
  async admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { maxClients, live, notice } = this.#options;
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const subprotocol = chooseSubprotocol(offered);
    if (!subprotocol) {
      refuse(socket, {
        status: 400,
        reason: 'Offer the subprotocol foxglove.sdk.v1 or foxglove.websocket.v1',
      });
      return;
    }
    if (this.#connections.size + this.#arriving >= maxClients) {
      notice(`Refused a replay client: ${maxClients} are connected, which is the limit`);
      refuse(socket, { status: 503, reason: 'Too many clients' });
      return;
    }
    this.#arriving++;
    const { searchParams } = requestUrl(request);
    const accept = (clientOf: (stream: ClientStream) => Client) =>
      this.#accept({ request, socket, head, subprotocol }, clientOf);
    try {
      if (live && !searchParams.has('episode')) {
        accept((stream) => new LiveClient(stream, live));
        return;
      }
      const episode = await this.#episodes.open(searchParams.get('episode'));
      if (!episode) {
        refuse(socket, { status: 404, reason: 'There is no such episode' });
        return;
      }
      // A handshake that fails never becomes a client that gives the episode back.
      let isTaken = false;
      const giveBack = () => void (isTaken || episode[Symbol.asyncDispose]());
      if (socket.destroyed) giveBack();
      else socket.once('close', giveBack);
      accept((stream) => {
        isTaken = true;
        return this.#replayClient(stream, episode, { subprotocol, playsAlone: searchParams.has('play') });
      });
    } catch (error) {
      notice(messageOf(error));
      refuse(socket, { status: 404, reason: messageOf(error) });
    } finally {
      this.#arriving--;
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close(1001, 'the server is closing');
  }

  #replayClient(
    stream: ClientStream,
    episode: ReplayedEpisode,
    how: { readonly subprotocol: Subprotocol; readonly playsAlone: boolean },
  ): ReplayClient {
    return new ReplayClient(stream, episode, {
      ...how,
      clock: SYSTEM_CLOCK,
      episodes: this.#episodes,
      groupOf: (episodeId) => this.#groupOf(episodeId),
      failed: (error) => this.#options.notice(`Replay of "${episode.file}" broke off: ${messageOf(error)}`),
    });
  }

  #groupOf(episodeId: string): PlaybackGroup {
    const group = this.#groups.get(episodeId) ?? new PlaybackGroup();
    if (this.#options.shared) this.#groups.set(episodeId, group);
    return group;
  }

  #accept(
    {
      request,
      socket,
      head,
      subprotocol,
    }: {
      readonly request: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Buffer;
      readonly subprotocol: Subprotocol;
    },
    clientOf: (stream: ClientStream) => Client,
  ): void {
    const options = { subprotocol, maxFrameBytes: MAX_FRAME_BYTES, silenceMillis: SILENCE_MILLIS };
    acceptWebSocket(request, socket, head, options, (connection) => {
      this.#connections.add(connection);
      const { highWaterBytes } = this.#options;
      const stream = new ClientStream(connection, { clock: SYSTEM_CLOCK, highWaterBytes });
      const limit = new FrameLimit(SYSTEM_CLOCK);
      const client = clientOf(stream);
      return {
        frame: (frame) => {
          // Answers to a client that asks without reading, or without end, would pile up.
          if (stream.fill > 4) stream.close(1008, 'asks without reading');
          else if (!limit.admits()) stream.close(1008, 'asks too often');
          else read(frame, { stream, client });
        },
        closed: () => {
          this.#connections.delete(connection);
          void client.close();
        },
      };
    });
  }
}

function read(
  frame: string | Uint8Array,
  { stream, client }: { readonly stream: ClientStream; readonly client: Client },
): void {
  const parsed = parseClientFrame(frame);
  if ('fault' in parsed) stream.status('error', parsed.fault);
  else client.handle(parsed.frame);
}

/** Answers an upgrade request with a plain HTTP response and hangs up. */
export function refuse(
  socket: Duplex,
  { status, reason }: { readonly status: number; readonly reason: string },
): void {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const SYSTEM_CLOCK: PlaybackClock = {
  now: () => process.hrtime.bigint(),
  sleep: (nanos, signal) =>
    delay(Math.ceil(Number(nanos) / 1e6), undefined, { signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    }),
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
