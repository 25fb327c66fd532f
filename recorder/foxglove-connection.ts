import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { parseBinary, parseText, type ServerFrame, SUBPROTOCOLS } from './foxglove-frames.ts';

export interface ConnectionHandlers {
  /** Called in the order of arrival, the first `serverInfo` before the opening resolves. */
  frame(frame: ServerFrame): void;
  /** Something came that is not understood; a sentence without a full stop. */
  fault(found: string): void;
  /** Called once, after the opening has resolved. */
  closed(why: string): void;
}

export interface OpeningOptions {
  /** How long the server may take to introduce itself. */
  readonly timeoutMillis: number;
  /** Ends the opening early. */
  readonly signal: AbortSignal;
}

/** Between two looks at how long the server has been silent. */
const LOOK_MILLIS = 500;
/** Silences this much longer than any before are no accident. */
const UNUSUAL_FACTOR = 20;

/** A server that does not answer a goodbye must not keep this program alive. */
const GOODBYE_MILLIS = 500;
/** Where the platform's WebSocket announces the connection that it made: undici, DiagnosticsChannel. */
const CONNECTED = 'undici:client:connected';

/** One connection to a Foxglove server, from the handshake until it breaks. */
export class FoxgloveConnection {
  readonly #socket: WebSocket;
  readonly #handlers: ConnectionHandlers;
  readonly #opened = Promise.withResolvers<void>();
  #state: 'opening' | 'open' | 'closed' = 'opening';
  /** Below the WebSocket, which waits for the other side's goodbye without end and cannot be cut off. */
  #transport: Socket | undefined;
  #timer: NodeJS.Timeout;
  #firstFrameMillis: number | undefined;
  #lastFrameMillis = 0;
  #longestSilenceMillis = 0;

  /** Resolves when the server has introduced itself; else rejects with the reason in few words. */
  static async open(
    url: URL,
    handlers: ConnectionHandlers,
    { timeoutMillis, signal }: OpeningOptions,
  ): Promise<FoxgloveConnection> {
    const connection = new FoxgloveConnection(url, handlers, timeoutMillis);
    const stop = () => connection.#end('it is wanted no more');
    signal.addEventListener('abort', stop);
    try {
      await connection.#opened.promise;
      return connection;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private constructor(url: URL, handlers: ConnectionHandlers, timeoutMillis: number) {
    this.#handlers = handlers;
    this.#findTransport(url);
    this.#socket = new WebSocket(url, [...SUBPROTOCOLS]);
    this.#socket.binaryType = 'arraybuffer';
    this.#timer = setTimeout(() => this.#end('it does not introduce itself'), timeoutMillis);
    this.#socket.onopen = () => {
      if (!SUBPROTOCOLS.includes(this.#socket.protocol)) this.#end('it speaks no Foxglove subprotocol');
    };
    this.#socket.onmessage = ({ data }) => this.#arrived(data);
    this.#socket.onclose = ({ code, reason }) => {
      this.#end(reason === '' ? `code ${code}` : `code ${code}, "${reason}"`);
    };
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Sends nothing once the connection is closed. */
  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame);
  }

  /**
   * Gives the connection up when a server that kept on sending falls silent: a robot that lost its power
   * says no goodbye, and the system would wait for it for a quarter of an hour.
   *
   * @param silenceMillis shortest silence that counts, once the server has kept on sending for as long; one
   * of a slow rhythm is given more.
   */
  watchSilence(silenceMillis: number): void {
    this.#timer = setInterval(() => {
      const silence = performance.now() - this.#lastFrameMillis;
      const activity = this.#lastFrameMillis - (this.#firstFrameMillis ?? this.#lastFrameMillis);
      const unusual = Math.max(silenceMillis, UNUSUAL_FACTOR * this.#longestSilenceMillis);
      if (activity < silenceMillis || silence < unusual) return;
      this.#end(`nothing came for ${(silence / 1000).toFixed(1)} s`);
    }, LOOK_MILLIS);
  }

  /** Nothing is called any more. */
  close(): void {
    this.#state = 'closed';
    this.#shut();
  }

  #findTransport(url: URL): void {
    const connected = (event: unknown) => {
      const { socket, connectParams } = event as { socket?: unknown; connectParams?: { host?: unknown } };
      if (!(socket instanceof Socket) || connectParams?.host !== url.host) return;
      this.#transport = socket;
      unsubscribe(CONNECTED, connected);
    };
    subscribe(CONNECTED, connected);
    this.#opened.promise.catch(() => unsubscribe(CONNECTED, connected));
  }

  #arrived(data: unknown): void {
    if (this.#state === 'closed') return;
    const now = performance.now();
    if (this.#firstFrameMillis !== undefined) {
      this.#longestSilenceMillis = Math.max(this.#longestSilenceMillis, now - this.#lastFrameMillis);
    }
    this.#firstFrameMillis ??= now;
    this.#lastFrameMillis = now;
    const { frame, faults } = data instanceof ArrayBuffer ? parseBinary(data) : parseText(String(data));
    if (this.#state === 'opening' && faults[0] !== undefined) {
      this.#end(faults[0]);
      return;
    }
    for (const fault of faults) this.#handlers.fault(fault);
    if (!frame) return;
    this.#handlers.frame(frame);
    if (this.#state !== 'opening' || frame.op !== 'serverInfo') return;
    this.#state = 'open';
    clearTimeout(this.#timer);
    this.#opened.resolve();
  }

  #end(why: string): void {
    const state = this.#state;
    if (state === 'closed') return;
    this.#state = 'closed';
    this.#shut();
    if (state === 'opening') this.#opened.reject(new Error(why));
    else this.#handlers.closed(why);
  }

  #shut(): void {
    clearInterval(this.#timer);
    this.#socket.close();
    setTimeout(() => this.#transport?.destroy(), GOODBYE_MILLIS).unref();
  }
}
