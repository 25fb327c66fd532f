import { constants, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SourceError, UsageError } from '../schemas/errors.ts';
import type { RecordingCommand } from '../schemas/recording-control.ts';
import { RECORDING_WORDS } from '../schemas/recording-keys.ts';

/**
 * `struct input_event` of Linux on 64-bit machines: two 8-byte times, type, code, value
 * (include/uapi/linux/input.h).
 */
const EVENT_BYTES = 24;
const EV_KEY = 1;
const PRESSED = 1;
/**
 * How often the device is asked. A blocking read would hold a thread, and the program's end, until the
 * next press.
 */
const POLL_MILLIS = 20;

/** Key codes of include/uapi/linux/input-event-codes.h that pedals and button boxes send. */
const KEY_CODES: ReadonlyMap<string, number> = new Map([
  ...[...'1234567890'].map((key, i) => [key, 2 + i] as const),
  ...[...'qwertyuiop'].map((key, i) => [key, 16 + i] as const),
  ...[...'asdfghjkl'].map((key, i) => [key, 30 + i] as const),
  ...[...'zxcvbnm'].map((key, i) => [key, 44 + i] as const),
  ...Array.from({ length: 10 }, (_, i) => [`f${i + 1}`, 59 + i] as const),
  ...Array.from({ length: 12 }, (_, i) => [`f${i + 13}`, 183 + i] as const),
  ...Object.entries({ enter: 28, space: 57, f11: 87, f12: 88, up: 103, left: 105, right: 106, down: 108 }),
  ...Object.entries({ pageup: 104, pagedown: 109, left_button: 272, right_button: 273, middle_button: 274 }),
]);

/** What each key code of a pedal means. */
export type PedalKeys = ReadonlyMap<number, RecordingCommand>;

/**
 * Reads `a=toggle,b=mistake,183=discard`: keys by name or by code.
 *
 * @throws {UsageError} for a key or a command that does not exist.
 */
export function parsePedalKeys(text: string): PedalKeys {
  return new Map(
    text.split(',').map((pair) => {
      const [key = '', word = ''] = pair.split('=').map((part) => part.trim().toLowerCase());
      const code = KEY_CODES.get(key) ?? (/^\d{2,3}$/.test(key) ? Number(key) : undefined);
      const command = RECORDING_WORDS.get(word);
      if (code === undefined) {
        throw new UsageError(
          `Pedal key "${key}" is not known. Give its code of three digits, or one of ${[...KEY_CODES.keys()].join(' ')}.`,
        );
      }
      if (!command) {
        throw new UsageError(
          `Pedal command "${word}" is not one of ${[...RECORDING_WORDS.keys()].join(', ')}.`,
        );
      }
      return [code, command];
    }),
  );
}

/**
 * The commands of a USB foot pedal or button box, as Linux shows it under `/dev/input/by-id`. Releases and
 * repeats of a held key are nothing; keys without a command are passed to `onUnknown`.
 *
 * @throws {SourceError} when the device cannot be read or is unplugged.
 */
export async function* pedalCommands(
  device: string,
  keys: PedalKeys,
  { signal, onUnknown }: { signal: AbortSignal; onUnknown: (code: number) => void },
): AsyncGenerator<RecordingCommand> {
  const fault = (cause: unknown) =>
    new SourceError(
      `Cannot read pedal "${device}": ${(cause as Error).message}. Plug it in, or give your user the right to ` +
        'read it: "sudo usermod -aG input $USER" and a new login.',
      { cause },
    );
  await using handle = await open(device, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw fault(cause);
    },
  );
  const block = Buffer.alloc(64 * EVENT_BYTES);
  for (let filled = 0; !signal.aborted; ) {
    try {
      const { bytesRead } = await handle.read(block, filled, block.length - filled, null);
      if (bytesRead === 0) return;
      filled += bytesRead;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw fault(error);
      await delay(POLL_MILLIS, undefined, { signal }).catch(() => {}); // aborted: the loop ends
      continue;
    }
    const whole = filled - (filled % EVENT_BYTES);
    for (let at = 0; at < whole; at += EVENT_BYTES) {
      if (block.readUInt16LE(at + 16) !== EV_KEY || block.readInt32LE(at + 20) !== PRESSED) continue;
      const code = block.readUInt16LE(at + 18);
      const command = keys.get(code);
      if (command) yield command;
      else onUnknown(code);
    }
    block.copyWithin(0, whole, filled);
    filled -= whole;
  }
}
