import { on } from 'node:events';

/** The part of a terminal that reading single keys takes. */
export interface Terminal extends NodeJS.EventEmitter {
  setRawMode(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

/**
 * Single key presses of a terminal, lower case; `ctrl+c` stands for itself. Ends when the signal is
 * aborted or the reader stops; the terminal is given back as it was.
 */
export async function* keyPresses(terminal: Terminal, signal: AbortSignal): AsyncGenerator<string> {
  terminal.setRawMode(true);
  terminal.resume();
  try {
    for await (const [block] of on(terminal, 'data', { signal })) {
      for (const key of String(block)) yield key === '\u0003' ? 'ctrl+c' : key.toLowerCase();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
  }
}
