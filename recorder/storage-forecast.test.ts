import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { RecordingStatus } from '../schemas/recording-control.ts';
import { secsToNanos } from '../schemas/time.ts';
import { recordTo, START_TIME, smallDisk } from './small-disk.fixture.ts';
import { StorageGuard } from './storage-guard.ts';

const MESSAGE_BYTES = 50_000;
const BYTES_PER_SEC = 10e6;
const RESERVE_BYTES = 4e6;

const disk = smallDisk(72);

it.skipIf(!disk)(
  'the forecast is within a tenth of how long the take then goes on (needs the right to mount)',
  async () => {
    const { source, recorder, session } = await recordTo(disk!, RESERVE_BYTES);
    const forecastOf = ({ durationSecs, storage }: RecordingStatus) => ({
      at: durationSecs,
      secsLeft: storage.secsLeft!,
    });
    await session.command({ kind: 'start' });
    const started = performance.now();
    const elapsedSecs = () => (performance.now() - started) / 1000;
    let forecast: ReturnType<typeof forecastOf> | undefined;
    for (let sent = 0; session.status().state === 'recording'; ) {
      for (; sent * MESSAGE_BYTES < elapsedSecs() * BYTES_PER_SEC; sent++) {
        const data = crypto.getRandomValues(new Uint8Array(MESSAGE_BYTES));
        source.send({ channelKey: 0, logTime: START_TIME + secsToNanos(elapsedSecs()), data });
      }
      if (elapsedSecs() > 3) forecast ??= forecastOf(session.status());
      await delay(5);
    }
    await expect.poll(() => session.status().state).toBe('review');
    const wentOnSecs = session.status().review!.durationSecs - forecast!.at;
    expect(Math.abs(forecast!.secsLeft - wentOnSecs) / wentOnSecs).toBeLessThan(0.1);
    expect(session.status().trouble).toContain('disk is full');
    expect(session.status().storage.takesLeft).toBe(0);

    // What lies in the trash is room again.
    const { bytes } = session.status().review!;
    await session.command({ kind: 'discard' });
    const guard = new StorageGuard(disk!, { reserveBytes: RESERVE_BYTES });
    expect((await guard.look()).freeBytes).toBeGreaterThan(bytes - RESERVE_BYTES); // less what it took of the reserve
    await session.end();
    await recorder.close();
  },
);
