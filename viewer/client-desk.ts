import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { requestUrl } from './access.ts';
import { replayChannels } from './channels.ts';
import type { PlaybackClock } from './player.ts';
import { chooseSubprotocol } from './protocol.ts';
import { ReplayClient } from './replay-client.ts';
import type { EpisodeShelf } from './shelf.ts';
import { acceptWebSocket, type Connection } from './websocket.ts';

export interface ClientDeskOptions {
  readonly maxClients: number;
  readonly highWaterBytes: number;
  readonly notice: (line: string) => void;
}

/** Far above what any client sends. */
const MAX_FRAME_BYTES = 1 << 20;
const SILENCE_MILLIS = 60_000;

/** Admits replay clients, counts them, and shows them out at the end. */
export class ClientDesk {
  readonly #shelf: EpisodeShelf;
  readonly #options: ClientDeskOptions;
  readonly #connections = new Set<Connection>();
  #arriving = 0;

  constructor(shelf: EpisodeShelf, options: ClientDeskOptions) {
    this.#shelf = shelf;
    this.#options = options;
  }

  /** Completes the upgrade of a request that may come in, or says why it cannot. */
  async admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { maxClients, highWaterBytes, notice } = this.#options;
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
    try {
      const { searchParams } = requestUrl(request);
      const shelved = await this.#shelf.find(searchParams.get('episode'));
      if (!shelved) {
        refuse(socket, { status: 404, reason: 'There is no such episode' });
        return;
      }
      const episode = await this.#shelf.borrow(shelved);
      // The socket's own end, because a handshake that fails never becomes a connection.
      let finished = Promise.resolve();
      const giveBack = () => void finished.then(() => episode[Symbol.asyncDispose]());
      if (socket.destroyed) giveBack();
      else socket.once('close', giveBack);
      const accept = { subprotocol, maxFrameBytes: MAX_FRAME_BYTES, silenceMillis: SILENCE_MILLIS };
      acceptWebSocket(request, socket, head, accept, (connection) => {
        this.#connections.add(connection);
        const client = new ReplayClient(connection, {
          subprotocol,
          episodeId: episode.id,
          reader: episode.reader,
          channels: replayChannels(episode.reader.channels.values()),
          clock: SYSTEM_CLOCK,
          playsAlone: searchParams.has('play'),
          highWaterBytes,
          failed: (error) => notice(`Replay of "${episode.file}" broke off: ${messageOf(error)}`),
        });
        finished = client.finished;
        return {
          frame: (frame) => client.frame(frame),
          closed: () => {
            this.#connections.delete(connection);
            client.closed();
          },
        };
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
