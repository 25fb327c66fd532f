import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { FoxgloveServer as FoxgloveServerType, IWebSocket } from '@foxglove/ws-protocol';
import { expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { ChannelSpec } from '../schemas/message.ts';
import { openFoxgloveSource } from './foxglove-source.ts';
import type { SourceMessage } from './source.ts';

const { FoxgloveServer } = createRequire(import.meta.url)('@foxglove/ws-protocol') as {
  FoxgloveServer: typeof FoxgloveServerType;
};

it("openFoxgloveSource() records from the protocol's own server, of the older subprotocol", async () => {
  const server = new FoxgloveServer({ name: 'robot' });
  const handleProtocols = (offered: Set<string>) => server.handleProtocols(offered);
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols });
  sockets.on('connection', (socket) => server.handleConnection(socket as unknown as IWebSocket, 'client'));
  const subscribed = new Set<number>();
  server.on('subscribe', (id) => subscribed.add(id));
  await new Promise((resolve) => sockets.once('listening', resolve));
  const early = {
    topic: '/early',
    encoding: 'cdr',
    schemaName: 'std_msgs/msg/String',
    schema: 'string data\n',
  };
  const ids = [server.addChannel({ ...early, schemaEncoding: 'ros2msg' })];

  const source = await openFoxgloveSource(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
  const channels = new Map<number, ChannelSpec>();
  const messages: SourceMessage[] = [];
  await source.start({
    channel: (key, spec) => channels.set(key, spec),
    message: (message) => messages.push(message),
    room: () => Promise.resolve(),
    failed: (error) => expect.unreachable(error.message),
    ended: () => expect.unreachable('it ended'),
  });
  ids.push(server.addChannel({ topic: '/late', encoding: 'json', schemaName: '', schema: '' }));
  await vi.waitFor(() => expect([...subscribed]).toEqual(ids));
  ids.forEach((id, i) => {
    server.sendMessage(id, 1000n + BigInt(i), Buffer.from(`payload ${i}`));
  });
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  await source.stop();
  for (const socket of sockets.clients) socket.terminate();
  sockets.close();

  expect([...channels.values()].map(({ topic, schema }) => [topic, schema?.encoding])).toEqual([
    ['/early', 'ros2msg'],
    ['/late', undefined],
  ]);
  expect(messages.map(({ publishTime, data }) => [publishTime, String(Buffer.from(data))])).toEqual([
    [1000n, 'payload 0'],
    [1001n, 'payload 1'],
  ]);
});
