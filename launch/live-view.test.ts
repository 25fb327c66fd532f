import { describe, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import type { RecordingStatus } from '../schemas/recording-control.ts';
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
  ...{ topic: '/joints', stream: 'joints', received: 500, bytes: 1e6, lost: 0, rateHz: 99, silentSecs: 0.01 },
  troubled: false,
};
const events = { ...well, topic: '/events', stream: 'events', rateHz: 0.2, silentSecs: 9 };
const statusWith = (...streams: RecordingStatus['streams']) => ({
  state: 'recording' as const,
  episodeId: 'desk-0001',
  durationSecs: 5,
  queuedBytes: 0,
  streams,
  storage: { freeBytes: 1e11, bytesPerSec: 1e6, secsLeft: 7200, exhausted: false },
});
const RED = '\u001b[31m';

describe('liveLines()', () => {
  it('shows every stream with its rate against the contract, and how long the disk lasts', () => {
    const lines = liveLines(statusWith(well, events), contract);
    expect(lines[0]).toContain('RECORDING');
    expect(lines[0]).toContain('120 min left');
    expect(lines.find((line) => line.startsWith('/joints'))).toContain('99/100');
    expect(lines.join('\n')).not.toContain(RED);
  });

  it('turns a stream in trouble red', () => {
    const status = statusWith({ ...well, lost: 1, troubled: true }, events);
    expect(liveLines(status, contract).filter((line) => line.startsWith(RED))).toHaveLength(1);
    expect(logLine(status)).toContain('look at /joints');
  });
});
