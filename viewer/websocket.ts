import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

/** The one door to `ws`: an accepted WebSocket, with what a sender must know of its reader. */
export interface Connection {
  /** Queues a frame; it is sent in order. Nothing happens once the connection is closed. */
  send(frame: string | Uint8Array): void;
  /** Bytes queued and not yet taken by the system. */
  readonly bufferedBytes: number;
  /** Resolves when no more than this is queued, or the connection has closed. */
  drained(maxBytes: number): Promise<void>;
  /** Says goodbye; code and reason as RFC 6455 section 7.4 has them. */
  close(code: number, reason: string): void;
}

export interface ConnectionHandlers {
  frame(frame: string | Uint8Array): void;
  /** Called once, however the connection ended. */
  closed(): void;
}

export interface AcceptOptions {
  readonly subprotocol: string;
  /** A longer frame closes the connection with code 1009. */
  readonly maxFrameBytes: number;
  /** A client that answers no ping for this long is cut off. */
  readonly silenceMillis: number;
}

/** Completes the upgrade of a request that was already found to be welcome. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { subprotocol, maxFrameBytes, silenceMillis }: AcceptOptions,
  connected: (connection: Connection) => ConnectionHandlers,
): void {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrameBytes,
    // Deflating pictures costs a core and gains nothing.
    perMessageDeflate: false,
    handleProtocols: () => subprotocol,
  });
  server.handleUpgrade(request, socket, head, (webSocket) => {
    const connection = new WsConnection(webSocket);
    const handlers = connected(connection);
    webSocket.on('message', (frame, isBinary) => {
      if (!Buffer.isBuffer(frame)) return; // other forms come only when asked for
      handlers.frame(isBinary ? frame : frame.toString('utf8'));
    });
    // A frame that breaks RFC 6455 is an error here; ws closes the connection by itself.
    webSocket.on('error', () => {});
    const heartbeat = setInterval(() => connection.checkAlive(), silenceMillis / 2);
    webSocket.on('close', () => {
      clearInterval(heartbeat);
      connection.wakeAll();
      handlers.closed();
    });
  });
}

/** A client that does not answer a goodbye must not hold up the end of the server. */
const GOODBYE_MILLIS = 500;

class WsConnection implements Connection {
  readonly #webSocket: WebSocket;
  readonly #waiting = new Set<() => void>();
  #isAlive = true;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket.on('pong', () => {
      this.#isAlive = true;
    });
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(frame: string | Uint8Array): void {
    // The callback comes when the system has taken the frame, or the connection failed.
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(frame, () => this.wakeAll());
  }

  async drained(maxBytes: number): Promise<void> {
    while (this.bufferedBytes > maxBytes && this.#webSocket.readyState === WebSocket.OPEN) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
    setTimeout(() => this.#webSocket.terminate(), GOODBYE_MILLIS).unref();
  }

  wakeAll(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  checkAlive(): void {
    if (!this.#isAlive) this.#webSocket.terminate();
    this.#isAlive = false;
    this.#webSocket.ping();
  }
}
