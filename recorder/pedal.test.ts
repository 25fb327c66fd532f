import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SourceError, UsageError } from '../schemas/errors.ts';
import { parsePedalKeys, pedalCommands } from './pedal.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** One event as the kernel writes it. */
function event(type: number, code: number, value: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigInt64LE(1_700_000_000n, 0);
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(code, 18);
  bytes.writeInt32LE(value, 20);
  return bytes;
}
/** Press, one auto-repeat and release of a key, each with its scan code before and its report after. */
const press = (code: number) =>
  [1, 2, 0].flatMap((value) => [event(4, 4, 458756), event(1, code, value), event(0, 0, 0)]);

async function commandsOf(events: readonly Buffer[], keys: string) {
  const device = join(directory, 'event0');
  await writeFile(device, Buffer.concat(events));
  const unknown: number[] = [];
  const commands = [];
  const options = { signal: new AbortController().signal, onUnknown: (code: number) => unknown.push(code) };
  for await (const command of pedalCommands(device, parsePedalKeys(keys), options)) commands.push(command);
  return { commands, unknown };
}

describe('pedalCommands()', () => {
  it('gives one command per press, whatever repeats', async () => {
    const { commands } = await commandsOf([...press(30), ...press(48), ...press(30)], 'a=toggle, b=mistake');
    expect(commands).toEqual([{ kind: 'toggle' }, { kind: 'mistake' }, { kind: 'toggle' }]);
  });

  it('names keys that have no command', async () => {
    const { commands, unknown } = await commandsOf([...press(30), ...press(46)], 'a=success');
    expect(commands).toEqual([{ kind: 'keep', outcome: 'success' }]);
    expect(unknown).toEqual([46]);
  });

  it('takes key codes as numbers', async () => {
    expect((await commandsOf(press(183), '183=discard')).commands).toEqual([{ kind: 'discard' }]);
  });

  it('says what to do when the device is not there', async () => {
    const options = { signal: new AbortController().signal, onUnknown: () => {} };
    const commands = pedalCommands(join(directory, 'none'), parsePedalKeys('a=toggle'), options);
    await expect(commands.next()).rejects.toThrow(SourceError);
  });

  it('waits for presses and ends quietly when its signal is aborted', async () => {
    const fifo = join(directory, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    await using writer = await open(fifo, 'r+'); // both ends: opening waits for nobody
    const ending = new AbortController();
    const options = { signal: ending.signal, onUnknown: () => {} };
    const commands = pedalCommands(fifo, parsePedalKeys('a=toggle'), options);
    const first = commands.next();
    await writer.write(Buffer.concat(press(30)));
    expect(await first).toMatchObject({ value: { kind: 'toggle' } });
    const second = commands.next();
    ending.abort();
    expect(await second).toMatchObject({ done: true });
  });
});

it.each(['nokey=toggle', 'a=dance', '', 'a'])('parsePedalKeys() refuses "%s"', (text) => {
  expect(() => parsePedalKeys(text)).toThrow(UsageError);
});
