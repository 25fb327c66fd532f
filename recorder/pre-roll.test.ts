import { describe, expect, it } from 'vitest';
import { NANOS_PER_SEC, secsToNanos } from '../schemas/time.ts';
import { MESSAGE_OVERHEAD_BYTES } from './message-queue.ts';
import { PreRoll } from './pre-roll.ts';

/** Six cameras of 920 kB at 30 Hz: 166 MB/s. Their messages share one payload: what is counted is the same. */
const RATE_HZ = 180;
const data = new Uint8Array(920_000);

/** Pushes this many seconds of them, and looks at the bound after each. */
function filled(preRoll: PreRoll, { secs, maxBytes }: { secs: number; maxBytes: number }): void {
  for (let i = 0; i < secs * RATE_HZ; i++) {
    preRoll.push({ channelKey: i % 6, logTime: timeOf(i), data });
    if (preRoll.bytes > maxBytes) throw new RangeError(`${preRoll.bytes} bytes after message ${i}`);
  }
}
const timeOf = (index: number) => (BigInt(index) * NANOS_PER_SEC) / BigInt(RATE_HZ);

describe('PreRoll at 166 MB/s', () => {
  it.each([
    ['its seconds', { nanos: secsToNanos(1), maxBytes: 512 << 20, kept: RATE_HZ }],
    ['its bytes', { nanos: secsToNanos(60), maxBytes: 512 << 20, kept: 583 }],
  ])('is bounded by %s, and gives the newest in order', (_what, { nanos, maxBytes, kept }) => {
    const preRoll = new PreRoll(nanos, maxBytes);
    filled(preRoll, { secs: 20, maxBytes });
    const last = 20 * RATE_HZ;
    const messages = preRoll.take(timeOf(last));
    expect(messages).toHaveLength(kept);
    expect(messages.map(({ logTime }) => logTime)).toEqual(
      Array.from({ length: kept }, (_, i) => timeOf(last - kept + i)),
    );
    expect(preRoll.bytes).toBe(0);
    expect(preRoll.take(timeOf(last))).toEqual([]);
  });

  it('counts what small messages cost beside their payload', () => {
    const preRoll = new PreRoll(secsToNanos(60), 100 * MESSAGE_OVERHEAD_BYTES);
    for (let i = 0; i < 1000; i++)
      preRoll.push({ channelKey: 0, logTime: BigInt(i), data: new Uint8Array(0) });
    expect(preRoll.take(1000n)).toHaveLength(100);
  });

  it('lets go of what it drops', async () => {
    const preRoll = new PreRoll(secsToNanos(60), 10 * (data.length + MESSAGE_OVERHEAD_BYTES));
    const freed = new Set<number>();
    const registry = new FinalizationRegistry((index: number) => freed.add(index));
    for (let i = 0; i < 16; i++) {
      const own = new Uint8Array(data.length);
      registry.register(own.buffer, i);
      preRoll.push({ channelKey: 0, logTime: BigInt(i), data: own });
    }
    // Six of sixteen are dropped, fewer than make the array be cut.
    await expect
      .poll(
        () => {
          for (let i = 0; i < 50; i++) new ArrayBuffer(16 << 20); // makes the collector look
          return [...freed].sort((a, b) => a - b);
        },
        { timeout: 10_000 },
      )
      .toEqual([0, 1, 2, 3, 4, 5]);
    expect(preRoll.take(16n)).toHaveLength(10);
  });
});
