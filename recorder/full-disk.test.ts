import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { recordTo, START_TIME, smallDisk } from './small-disk.fixture.ts';

const disk = smallDisk(8);

it.skipIf(!disk)(
  'a disk that fills up ends the take with a whole file and an exact ledger; the next start works (needs the right to mount)',
  async () => {
    // No reserve: the guard steps aside, so that the disk itself refuses.
    const { source, recorder, session, troubles } = await recordTo(disk!, 0);
    await session.command({ kind: 'start' });
    let sent = 0;
    for (; session.status().state === 'recording' && sent < 2000; sent++) {
      const data = crypto.getRandomValues(new Uint8Array(20_000));
      source.send({ channelKey: 0, logTime: START_TIME + BigInt(sent), data });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await expect.poll(() => session.status().state, { timeout: 10_000 }).toBe('review');
    expect(troubles.join()).toMatch(/ENOSPC|disk is full/);
    const { file, losses } = session.status().review!;
    const lost = losses.reduce((sum, { messages }) => sum + messages!, 0);
    {
      await using reader = await EpisodeReader.open(file);
      const written = [...reader.channels.values()].find(({ topic }) => topic === '/camera')!;
      expect(reader.isIndexed).toBe(true);
      const ledger = await reader.ledger();
      const received = ledger!.totals.find(({ topic }) => topic === '/camera')!.received;
      expect(received).toBeLessThanOrEqual(sent); // the last ones came while the file was being completed
      expect(reader.messageCounts.get(written.id)! + lost).toBe(received);
      expect(ledger!.losses).toEqual(losses);
    }
    await session.command({ kind: 'discard' });
    rmSync(join(disk!, 'trash'), { recursive: true });
    await session.command({ kind: 'start' });
    await session.command({ kind: 'stop' });
    await session.end();
    await recorder.close();
    expect(readdirSync(disk!).filter((name) => name.endsWith('.mcap'))).toHaveLength(1);
  },
);
