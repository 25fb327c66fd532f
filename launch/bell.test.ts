import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ringFor } from './bell.ts';
import { ServedSession } from './served-session.fixture.ts';

it('ringFor() rings once for a start, twice for a stop, and no more once it has ended', async () => {
  await using served = await ServedSession.open();
  let rings = 0;
  const end = ringFor(served.session, () => rings++);
  await served.session.command({ kind: 'start' });
  await expect.poll(() => rings).toBe(1);
  served.send(0.2);
  await served.session.command({ kind: 'stop' });
  await expect.poll(() => rings).toBe(3);
  end();
  await served.session.command({ kind: 'discard' });
  await delay(400);
  expect(rings).toBe(3);
});
