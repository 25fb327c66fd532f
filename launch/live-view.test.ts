import { describe, expect, it } from 'vitest';
import type { RecorderStatus } from '../recorder/recorder.ts';
import { parseContract } from '../schemas/contract-file.ts';
import { liveLines, logLine } from './live-view.ts';

const { contract } = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100, maxGapSecs: 0.05 }
  events: { topic: /events, role: context, type: test_msgs/msg/Event }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'desk.yaml',
);
const well = {
  topic: '/joints',
  stream: 'joints',
  received: 500,
  bytes: 1e6,
  lost: 0,
  rateHz: 99,
  silentSecs: 0.01,
};
const events = {
  topic: '/events',
  stream: 'events',
  received: 1,
  bytes: 10,
  lost: 0,
  rateHz: 0.2,
  silentSecs: 9,
};
const statusWith = (...streams: RecorderStatus['streams']): RecorderStatus => ({
  state: 'recording',
  episodeId: 'desk-0001',
  durationSecs: 5,
  queuedBytes: 0,
  streams,
  storage: { freeBytes: 1e11, bytesPerSec: 1e6, secsLeft: 1e5, exhausted: false },
  failure: undefined,
});
const RED = '\u001b[31m';

describe('liveLines()', () => {
  it('shows every stream with its rate against the contract', () => {
    const lines = liveLines(statusWith(well, events), contract);
    expect(lines[0]).toContain('RECORDING');
    expect(lines.find((line) => line.startsWith('/joints'))).toContain('99/100');
    expect(lines.join('\n')).not.toContain(RED);
  });

  it.each([
    ['silent for longer than its gap', { silentSecs: 0.2 }],
    ['never heard', { silentSecs: 5, received: 0 }],
    ['losing', { lost: 1 }],
    ['below its rate', { rateHz: 60 }],
  ])('turns a stream red that is %s', (_what, change) => {
    const lines = liveLines(statusWith({ ...well, ...change }, events), contract);
    expect(lines.filter((line) => line.startsWith(RED))).toHaveLength(1);
    expect(logLine(statusWith({ ...well, ...change }), contract)).toContain('look at /joints');
  });
});
