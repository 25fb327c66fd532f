import type { AddressInfo } from 'node:net';
import { expect, vi } from 'vitest';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';

/** A bridge that a test drives by hand; it may be as wrong as it likes. */
export class Bridge {
  readonly #server: WebSocketServer;
  readonly subscriptions = new Map<number, number>();
  readonly connections: ServerSocket[] = [];
  readonly greeting: (object | string | Uint8Array)[];

  constructor(greeting: Bridge['greeting'], port: number) {
    this.greeting = greeting;
    this.#server = new WebSocketServer({
      port,
      host: '127.0.0.1',
      handleProtocols: () => 'foxglove.websocket.v1',
    });
    this.#server.on('connection', (socket) => {
      this.connections.push(socket);
      this.subscriptions.clear();
      socket.on('message', (frame) => {
        const { op, subscriptions } = JSON.parse(String(frame));
        if (op !== 'subscribe') return;
        for (const { id, channelId } of subscriptions) this.subscriptions.set(channelId, id);
      });
      for (const frame of greeting) this.send(frame);
    });
  }

  static async open(greeting: Bridge['greeting'], { port = 0 } = {}): Promise<Bridge> {
    const bridge = new Bridge(greeting, port);
    await new Promise((resolve) => bridge.#server.once('listening', resolve));
    return bridge;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  send(frame: object | string | Uint8Array): void {
    const isRaw = typeof frame === 'string' || frame instanceof Uint8Array;
    this.connections.at(-1)!.send(isRaw ? frame : JSON.stringify(frame));
  }

  async subscribed(...channelIds: number[]): Promise<void> {
    await vi.waitFor(() => expect([...this.subscriptions.keys()].sort()).toEqual(channelIds));
  }

  message(channelId: number, time: bigint, text: string): void {
    const head = Buffer.alloc(13);
    head.writeUInt8(1);
    head.writeUInt32LE(this.subscriptions.get(channelId)!, 1);
    head.writeBigUInt64LE(time, 5);
    this.send(Buffer.concat([head, Buffer.from(text)]));
  }

  time(time: bigint): void {
    const frame = Buffer.alloc(9);
    frame.writeUInt8(2);
    frame.writeBigUInt64LE(time, 1);
    this.send(frame);
  }

  async close(): Promise<void> {
    for (const socket of this.connections) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
