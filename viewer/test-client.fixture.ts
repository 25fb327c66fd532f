import { WebSocket } from 'ws';
import type { ServerBinary, ServerText } from './protocol.ts';
import { encodeSubscribe } from './protocol-client.ts';
import { decodeServerBinary } from './protocol-server.ts';

/** A client of our own on a real socket: frames in the order in which they came. */
export class TestClient implements Disposable {
  readonly socket: WebSocket;
  readonly frames: (ServerText | ServerBinary)[] = [];
  #arrived = Promise.withResolvers<void>();
  #read = 0;

  constructor(address: string, protocols: string | string[] = 'foxglove.sdk.v1', options = {}) {
    this.socket = new WebSocket(address, protocols, options);
    this.socket.on('message', (frame: Buffer, isBinary: boolean) => {
      const decoded = isBinary ? decodeServerBinary(frame) : (JSON.parse(String(frame)) as ServerText);
      if (decoded) this.frames.push(decoded);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
    this.socket.on('error', () => {});
  }

  /** The next frame that fits, passing over others. */
  async next<Op extends (ServerText | ServerBinary)['op']>(
    op: Op,
    fits: (frame: Extract<ServerText | ServerBinary, { op: Op }>) => boolean = () => true,
  ): Promise<Extract<ServerText | ServerBinary, { op: Op }>> {
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++]!;
        if (frame.op === op && fits(frame as Extract<typeof frame, { op: Op }>)) {
          return frame as Extract<typeof frame, { op: Op }>;
        }
      }
      await this.#arrived.promise;
    }
  }

  /** Reads the greeting and subscribes: ids are 1, 2, … in the order of the topics. */
  async subscribe(...topics: string[]): Promise<void> {
    const { channels } = await this.next('advertise');
    const subscriptions = topics.map((topic, index) => ({
      id: index + 1,
      channelId: channels.find((channel) => channel.topic === topic)!.id,
    }));
    this.socket.send(encodeSubscribe(subscriptions));
  }

  /** The status with which the server refused the upgrade. */
  async refusal(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      this.socket.on('open', () => reject(new Error('was let in')));
    });
  }

  closed(): Promise<number> {
    return new Promise((resolve) => this.socket.on('close', resolve));
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
