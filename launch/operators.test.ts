import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parsePedalKeys } from '../recorder/pedal.ts';
import { byDuration, byKeyboard, byPedal } from './operators.ts';
import {
  byCommands,
  COMMANDS,
  type Deed,
  noDispose,
  type OpenOperator,
  recordedBy,
} from './recorded-by.fixture.ts';
import { ServedSession } from './served-session.fixture.ts';

const OPERATORS: Readonly<Record<string, OpenOperator>> = {
  http: async (_session, served) => ({
    do: async (deed) => expect((await served.post(COMMANDS[deed])).status).toBe(200),
    ...noDispose,
  }),
  keyboard: async (session) => {
    const terminal = Object.assign(new PassThrough(), { setRawMode: () => {} });
    const ended = byKeyboard(session, { terminal, signal: new AbortController().signal });
    const keys: Record<Deed, string> = {
      ...{ start: ' ', stop: '\r', mistake: 'm', pause: 'p', resume: 'r', success: 's', discard: 'D' },
    };
    return {
      do: async (deed) => void terminal.write(keys[deed]),
      [Symbol.asyncDispose]: async () => {
        terminal.write('q');
        await ended;
      },
    };
  },
  pedal: async (session, { directory }) => {
    const device = join(directory, 'pedal');
    await promisify(execFile)('mkfifo', [device]);
    const writer = await open(device, 'r+'); // both ends: opening waits for nobody
    const ending = new AbortController();
    const keys = parsePedalKeys('30=toggle,48=mistake,25=pause,19=resume,31=success,46=discard');
    const onUnknown = () => {};
    const ended = byPedal(session, { device, keys, onUnknown, signal: ending.signal });
    const codes: Record<Deed, number> = {
      ...{ start: 30, stop: 30, mistake: 48, pause: 25, resume: 19, success: 31, discard: 46 },
    };
    return {
      do: (deed) => writer.write(Buffer.concat([keyEvent(codes[deed], 1), keyEvent(codes[deed], 0)])),
      [Symbol.asyncDispose]: async () => {
        ending.abort();
        await ended;
        await writer.close();
      },
    };
  },
};

/** A key's press or release as the kernel writes it. */
function keyEvent(code: number, value: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt16LE(1, 16);
  bytes.writeUInt16LE(code, 18);
  bytes.writeInt32LE(value, 20);
  return bytes;
}

describe('an operator', () => {
  let expected: Awaited<ReturnType<typeof recordedBy>>;
  beforeAll(async () => {
    expected = await recordedBy(byCommands);
  });

  it.each(['http', 'keyboard', 'pedal'])('records by %s what plain commands record', async (name) => {
    const recorded = await recordedBy(OPERATORS[name]!);
    expect(recorded).toEqual(expected);
    expect(recorded.kept.messages.length).toBe(1.5 * 150 + 5); // and start, mistake, pause, resume, stop
    expect(recorded.kept.labels).toMatchObject([{ label: { kind: 'outcome', value: 'success' } }]);
    expect(recorded.discarded.messages.length).toBe(0.2 * 150 + 2);
    expect(recorded.takes).toEqual({ kept: 1, discarded: 1 });
  });
});

describe('byDuration()', () => {
  it('goes on when another operator ends a take before its time', async () => {
    await using served = await ServedSession.open();
    const { session } = served;
    const takes = byDuration(session, { takes: 2, secs: 0.3, signal: new AbortController().signal });
    await expect.poll(() => session.status().state).toBe('recording');
    await served.post({ kind: 'stop' });
    await served.post({ kind: 'discard' });
    await takes;
    expect(session.status()).toMatchObject({ state: 'idle', kept: 1, discarded: 1 });
  });
});
