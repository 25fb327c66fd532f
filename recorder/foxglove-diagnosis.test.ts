import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SourceError, UsageError } from '../schemas/errors.ts';
import { openFoxgloveSource } from './foxglove-source.ts';
import type { Source } from './source.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function open(url: string, openingSecs = 0.3): Promise<Source> {
  const source = await openFoxgloveSource(url, { openingSecs });
  cleanup.push(() => source.stop());
  return source;
}

const INFO = JSON.stringify({ op: 'serverInfo', name: 'robot', capabilities: [] });

describe('openFoxgloveSource() where no Foxglove server answers', () => {
  /** What is there instead, and what the error must tell. */
  const ROWS: [string, () => Promise<string> | string, RegExp][] = [
    ['nothing', async () => closedAddress(), /no program listens there.*foxglove_bridge/],
    [
      'no such machine',
      () => 'ws://no-such-robot.invalid:8765',
      /no machine of that name|could not be looked up/,
    ],
    ['a web server', () => httpServer(200, '<html>'), /a web server without a Foxglove bridge/],
    ['a refusal', () => httpServer(404, 'There is no such episode'), /HTTP status 404, "There is no such/],
    ['a question for a secret', () => httpServer(401, ''), /token=/],
    ['another program', () => tcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')), /no web server/],
    ['silence', () => tcpServer(() => {}), /accepts connections but does not answer/],
    ['no subprotocol', () => webSocketServer(undefined, INFO), /chose no subprotocol/],
    ['another subprotocol', () => webSocketServer('mqtt', INFO), /subprotocol "mqtt", not one of/],
    ['no introduction', () => webSocketServer('foxglove.sdk.v1'), /says nothing that a Foxglove bridge says/],
    ['garbage', () => webSocketServer('foxglove.sdk.v1', 'ERROR 7'), /says nothing that a Foxglove bridge/],
    [
      'a hollow introduction',
      () => webSocketServer('foxglove.sdk.v1', '{"op":"serverInfo"}'),
      /says nothing that/,
    ],
  ];
  it.each(ROWS)('says what to check: %s', async (_, address, message) => {
    const opening = open(await address());
    await expect(opening).rejects.toBeInstanceOf(SourceError);
    await expect(opening).rejects.toThrow(message);
  });

  it.each(['robot:8765', 'http://robot', 'ws:/'])('refuses "%s" as no address', async (address) => {
    await expect(open(address)).rejects.toBeInstanceOf(UsageError);
  });

  it('keeps a secret in the address out of what it says', async () => {
    const opening = open(`${await closedAddress()}/?token=hunter2`);
    await expect(opening).rejects.not.toThrow('hunter2');
  });
});

it('openFoxgloveSource() hangs up at its stop on a server that does not answer a goodbye', async () => {
  const hungUp = Promise.withResolvers<void>();
  const address = await webSocketServer('foxglove.sdk.v1', INFO, (socket) => {
    socket.once('close', () => hungUp.resolve());
  });
  const source = await open(address, 5);
  await source.stop();
  await hungUp.promise;
});

/** Completes the handshake by hand, says one thing, and never answers anything. */
function webSocketServer(
  subprotocol: string | undefined,
  text?: string,
  met: (socket: Socket) => void = () => {},
): Promise<string> {
  return tcpServer((socket) => {
    met(socket);
    socket.once('data', (request) => {
      const key = /Sec-WebSocket-Key: (.*)\r/i.exec(String(request))![1]!;
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const chosen = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `${chosen}Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      if (text === undefined) return;
      socket.write(Buffer.from([0x81, text.length])); // one text frame of fewer than 126 bytes
      socket.write(text);
    });
  });
}

async function httpServer(status: number, body: string): Promise<string> {
  const server = createHttpServer((_, response) => response.writeHead(status).end(body));
  return listen(server, () => server.closeAllConnections());
}

function tcpServer(greet: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    greet(socket);
  });
  return listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

async function listen(server: ReturnType<typeof createTcpServer>, drop: () => void): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.push(() => {
    drop();
    return new Promise((resolve) => server.close(resolve));
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closedAddress(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `ws://127.0.0.1:${port}`;
}
