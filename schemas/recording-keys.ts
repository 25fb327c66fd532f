import type { RecordingCommand } from './recording-control.ts';

/** What a key means to a recording, the same in the terminal and on the page. */
export const RECORDING_KEYS: Readonly<Record<string, RecordingCommand>> = {
  ' ': { kind: 'toggle' },
  s: { kind: 'keep', outcome: 'success' },
  f: { kind: 'keep', outcome: 'failure' },
  k: { kind: 'keep' },
  d: { kind: 'discard' },
  m: { kind: 'mistake' },
  1: { kind: 'quality', value: 1 },
  2: { kind: 'quality', value: 2 },
  3: { kind: 'quality', value: 3 },
  4: { kind: 'quality', value: 4 },
  5: { kind: 'quality', value: 5 },
};
