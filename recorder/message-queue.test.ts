import { describe, expect, it } from 'vitest';
import { MessageQueue, type QueueBatch } from './message-queue.ts';

const message = (bytes: number) => ({
  channelId: 0,
  sequence: 0,
  logTime: 0n,
  publishTime: 0n,
  data: new Uint8Array(bytes),
});

function queueOf(maxBytes: number) {
  const batches: QueueBatch[] = [];
  return { queue: new MessageQueue(maxBytes, (batch) => batches.push(batch)), batches };
}

describe('MessageQueue', () => {
  it('refuses what does not fit and takes it again once a batch is released', () => {
    const { queue, batches } = queueOf(3000);
    expect([1000, 1000, 1000].map((bytes) => queue.offer(message(bytes)))).toEqual([true, true, false]);
    queue.flush();
    expect(queue.offer(message(1000))).toBe(false); // sent, but not yet written
    queue.released(batches[0]!.bytes);
    expect(queue.offer(message(1000))).toBe(true);
  });

  it('sends one batch for all messages of a turn, in order', async () => {
    const { queue, batches } = queueOf(10_000);
    for (const bytes of [1, 2, 3]) queue.offer(message(bytes));
    await new Promise(setImmediate);
    expect(batches.map(({ messages }) => messages.map(({ data }) => data.length))).toEqual([[1, 2, 3]]);
  });

  it('room() waits until half of the bound is free', async () => {
    const { queue, batches } = queueOf(2000);
    queue.offer(message(1500));
    queue.flush();
    let open = false;
    const room = queue.room().then(() => {
      open = true;
    });
    await new Promise(setImmediate);
    expect(open).toBe(false);
    queue.released(batches[0]!.bytes);
    await room;
    expect(queue.bytes).toBe(0);
  });
});
