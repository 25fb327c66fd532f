import type { RecordingCommand } from './recording-control.ts';

/** What a key means to a recording, the same in the terminal and on the page. */
export const RECORDING_KEYS: Readonly<Record<string, RecordingCommand>> = {
  ' ': { kind: 'toggle' },
  s: { kind: 'keep', outcome: 'success' },
  f: { kind: 'keep', outcome: 'failure' },
  k: { kind: 'keep' },
  d: { kind: 'discard' },
  m: { kind: 'mistake' },
  p: { kind: 'pause' },
  r: { kind: 'resume' },
  1: { kind: 'quality', value: 1 },
  2: { kind: 'quality', value: 2 },
  3: { kind: 'quality', value: 3 },
  4: { kind: 'quality', value: 4 },
  5: { kind: 'quality', value: 5 },
};

/** The same by the words that a pedal's options and the services of ROS 2 go by. */
export const RECORDING_WORDS: ReadonlyMap<string, RecordingCommand> = new Map<string, RecordingCommand>([
  ['start', { kind: 'start' }],
  ['stop', { kind: 'stop' }],
  ['toggle', { kind: 'toggle' }],
  ['success', { kind: 'keep', outcome: 'success' }],
  ['failure', { kind: 'keep', outcome: 'failure' }],
  ['keep', { kind: 'keep' }],
  ['discard', { kind: 'discard' }],
  ['mistake', { kind: 'mistake' }],
  ['pause', { kind: 'pause' }],
  ['resume', { kind: 'resume' }],
]);
