import { WebSocket } from 'ws';
import { encodeSubscribe } from '../viewer/protocol-client.ts';

/** A client of a live preview in a process of its own: says when it watches everything, counts to itself. */
const [address = ''] = process.argv.slice(2);
const socket = new WebSocket(address, 'foxglove.sdk.v1');
socket.on('message', (frame: Buffer, isBinary: boolean) => {
  if (isBinary) return;
  const text = JSON.parse(String(frame)) as { op: string; channels?: { id: number; topic: string }[] };
  for (const { id, topic } of text.channels ?? []) {
    if (topic === '/joints') {
      socket.send(encodeSubscribe([{ id, channelId: id }]), () => process.send?.('watching'));
    }
  }
});
process.on('disconnect', () => process.exit());
