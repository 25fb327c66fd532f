import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ServedSession } from './served-session.fixture.ts';

/**
 * What a live preview costs the recorder: processor time per message of 1 kB on its way through the receiving
 * thread, with nobody there and with one client that watches everything. Rounds take turns, so that another load
 * on the machine falls on both.
 */
const MESSAGES = 20_000;
const ROUNDS = 7;

async function microsPerMessage(session: ServedSession): Promise<number> {
  const before = process.cpuUsage();
  for (let sent = 0; sent < MESSAGES; sent++) {
    const logTime = session.source.clock.time + 1_000_000n;
    session.source.send({ channelKey: 0, logTime, data: new Uint8Array(1000) });
    if (sent % 100 === 0) await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MESSAGES;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

test('live preview: cost per message', { timeout: 120_000 }, async () => {
  await using quiet = await ServedSession.open();
  await using watched = await ServedSession.open({ highWaterBytes: 1 << 30 });
  const address = `ws://127.0.0.1:${watched.server.address.port}/`;
  const watcher = fork(join(import.meta.dirname, 'live-watcher.fixture.ts'), [address]);
  await once(watcher, 'message');
  await delay(100);
  const alone: number[] = [];
  const seen: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await microsPerMessage(quiet));
    seen.push(await microsPerMessage(watched));
  }
  watcher.disconnect();
  console.log(
    `nobody watches: ${median(alone).toFixed(2)} µs per message, one client: ${median(seen).toFixed(2)} µs`,
  );
  expect(median(seen)).toBeGreaterThan(0);
});

test('live preview: what the tap itself costs with nobody there', { timeout: 120_000 }, async () => {
  const { LiveTaps } = await import('../recorder/live-taps.ts');
  const taps = new LiveTaps({ now: () => 0n }, () => []);
  const message = { channelKey: 1, logTime: 0n, data: new Uint8Array() };
  const count = 5_000_000;
  for (let round = 0; round < 2; round++) {
    const begin = performance.now();
    for (let i = 0; i < count; i++) taps.messageArrived(message);
    const nanos = ((performance.now() - begin) * 1e6) / count;
    if (round === 1) console.log(`a tap that nobody uses: ${nanos.toFixed(1)} ns per message`);
  }
  expect(taps.clock.now()).toBe(0n);
});
