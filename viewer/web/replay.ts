import type { AdvertisedChannel, PlaybackStatus, ServerBinary, ServerText } from '../protocol.ts';
import { encodePlaybackControl, encodeSubscribe } from '../protocol-client.ts';
import { decodeServerBinary } from '../protocol-server.ts';
import { prepareDecoders } from './decoders.ts';

export interface ReplayState {
  /** `connecting` at first, `lost` when the server has gone. */
  readonly connection: 'connecting' | 'open' | 'lost';
  readonly status: PlaybackStatus;
  readonly speed: number;
  /** Instant shown. */
  readonly time: bigint;
  readonly channels: readonly AdvertisedChannel[];
}

export interface LiveMessage {
  readonly logTime: bigint;
  readonly payload: Uint8Array;
}

type Listener = () => void;
type MessageListener = (message: LiveMessage) => void;

/** A seek whose pictures do not come within this time is taken for answered. */
const SEEK_PATIENCE_MILLIS = 250;

/** The page's connection to the bridge: one episode, its own playback. */
export class Replay {
  #state: ReplayState = {
    connection: 'connecting',
    status: 'paused',
    speed: 1,
    time: 0n,
    channels: [],
  };
  readonly #socket: WebSocket;
  readonly #listeners = new Set<Listener>();
  /** By subscription id, which is the channel's id. */
  readonly #messageListeners = new Map<number, Set<MessageListener>>();
  readonly #latest = new Map<number, LiveMessage>();
  #frameRequested = false;
  #requests = 0;
  /** The seek under way; a newer one waits in `#nextSeek` so that dragging still shows pictures. */
  #seeking: { requestId: string; answered: boolean; timer: number } | undefined;
  #nextSeek: bigint | undefined;

  constructor(address: string) {
    this.#socket = new WebSocket(address, 'foxglove.sdk.v1');
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = () => this.#change({ connection: 'lost' });
  }

  get state(): ReplayState {
    return this.#state;
  }

  /** Calls back at most once per drawn frame. @returns the end of it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Messages of a topic as they are due, the latest one first. @returns the end of it. */
  onMessage(topic: string, listener: MessageListener): () => void {
    const channel = this.#state.channels.find((each) => each.topic === topic);
    if (!channel) return () => {};
    const { id } = channel;
    const listeners = this.#messageListeners.get(id) ?? new Set();
    if (!this.#messageListeners.has(id)) {
      this.#messageListeners.set(id, listeners);
      this.#socket.send(encodeSubscribe([{ id, channelId: id }]));
    }
    listeners.add(listener);
    const latest = this.#latest.get(id);
    if (latest) listener(latest);
    return () => listeners.delete(listener);
  }

  play(): void {
    // From the start again once the end is reached.
    const atEnd = this.#state.status === 'ended';
    this.#control('play', atEnd ? 0n : undefined);
    this.#change({ status: 'playing' });
  }

  pause(): void {
    this.#control('pause');
    this.#change({ status: 'paused' });
  }

  toggle(): void {
    if (this.#state.status === 'playing') this.pause();
    else this.play();
  }

  setSpeed(speed: number): void {
    this.#change({ speed });
    this.#control(this.#state.status === 'playing' ? 'play' : 'pause');
  }

  seek(time: bigint): void {
    this.#change({ time });
    if (this.#seeking) {
      this.#nextSeek = time;
      return;
    }
    const requestId = this.#control(this.#state.status === 'playing' ? 'play' : 'pause', time);
    const timer = window.setTimeout(() => this.#seekDone(), SEEK_PATIENCE_MILLIS);
    this.#seeking = { requestId, answered: false, timer };
  }

  close(): void {
    this.#socket.onclose = null;
    this.#socket.close();
    clearTimeout(this.#seeking?.timer);
    this.#listeners.clear();
    this.#messageListeners.clear();
  }

  #control(command: 'play' | 'pause', seekTime?: bigint): string {
    const requestId = String(++this.#requests);
    const { speed } = this.#state;
    this.#socket.send(
      encodePlaybackControl({ command, speed, requestId, ...(seekTime !== undefined && { seekTime }) }),
    );
    return requestId;
  }

  #seekDone(): void {
    clearTimeout(this.#seeking?.timer);
    this.#seeking = undefined;
    const next = this.#nextSeek;
    this.#nextSeek = undefined;
    if (next !== undefined) this.seek(next);
  }

  #receive(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      const frame = decodeServerBinary(new Uint8Array(data));
      if (frame) this.#receiveBinary(frame);
    } else if (typeof data === 'string') {
      this.#receiveText(JSON.parse(data) as ServerText);
    }
  }

  #receiveText(message: ServerText): void {
    switch (message.op) {
      case 'serverInfo': {
        const { sec = 0, nsec = 0 } = message.dataStartTime ?? {};
        this.#change({ connection: 'open', time: BigInt(sec) * 1_000_000_000n + BigInt(nsec) });
        break;
      }
      case 'advertise':
        void prepareDecoders(message.channels).then(() =>
          this.#change({ channels: [...this.#state.channels, ...message.channels] }),
        );
        break;
      case 'status':
        console.warn(message.message);
    }
  }

  #receiveBinary(frame: ServerBinary): void {
    switch (frame.op) {
      case 'time':
        // While a seek is under way the time still told is that of before.
        if (!this.#seeking) this.#change({ time: frame.time });
        break;
      case 'playbackState': {
        const { status, speed, currentTime, requestId } = frame;
        if (this.#seeking && requestId === this.#seeking.requestId) this.#seeking.answered = true;
        const isStale = requestId !== undefined && requestId !== String(this.#requests);
        if (!isStale) this.#change({ status, speed, ...(!this.#nextSeek && { time: currentTime }) });
        break;
      }
      case 'messageData':
        this.#latest.set(frame.subscriptionId, frame);
        for (const listener of this.#messageListeners.get(frame.subscriptionId) ?? []) listener(frame);
        if (this.#seeking?.answered) this.#seekDone();
    }
  }

  #change(change: Partial<ReplayState>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#frameRequested) return;
    this.#frameRequested = true;
    requestAnimationFrame(() => {
      this.#frameRequested = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
