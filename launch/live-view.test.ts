import { describe, expect, it } from 'vitest';
import type { RecordingStatus } from '../schemas/recording-control.ts';
import { liveLines, logLine } from './live-view.ts';

const well = {
  ...{
    topic: '/joints',
    stream: 'joints',
    received: 500,
    bytes: 1e6,
    lost: 0,
    rateHz: 99,
    expectedRateHz: 100,
    silentSecs: 0.01,
  },
  ...{ largestGapSecs: 0.02, ageSecs: 0.004, trouble: undefined },
};
const events = {
  ...well,
  topic: '/events',
  stream: 'events',
  rateHz: 0.2,
  expectedRateHz: undefined,
  silentSecs: 9,
};
const statusWith = (...streams: RecordingStatus['streams']) => ({
  state: 'recording' as const,
  episodeId: 'desk-0001',
  durationSecs: 5,
  paused: false,
  queuedBytes: 0,
  streams,
  storage: { freeBytes: 1e11, bytesPerSec: 1e6, secsLeft: 7200, takesLeft: 60, exhausted: false },
});
const RED = '\u001b[31m';

describe('liveLines()', () => {
  it('shows every stream with its rate against the contract, and how long the disk lasts', () => {
    const lines = liveLines(statusWith(well, events));
    expect(lines[0]).toContain('RECORDING');
    expect(lines[0]).toContain('120 min left, 60 takes');
    expect(lines.find((line) => line.startsWith('/joints'))).toContain('99/100');
    expect(lines.join('\n')).not.toContain(RED);
  });

  it('shows the five gravest faults and says how many more there are', () => {
    const wrong = Array.from({ length: 8 }, (_, i) => `fault ${i}`);
    const lines = liveLines({ ...statusWith(well), wrong }, { colour: false });
    expect(lines.filter((line) => line.startsWith('! '))).toEqual(
      wrong.slice(0, 5).map((each) => `! ${each}`),
    );
    expect(lines.join()).toContain('and 3 more');
    const few = liveLines({ ...statusWith(well), wrong: wrong.slice(0, 5) });
    expect(few.join()).not.toContain('more');
  });

  it('turns a stream in trouble red', () => {
    const status = statusWith({ ...well, lost: 1, trouble: 'lossy' }, events);
    expect(liveLines(status).filter((line) => line.startsWith(RED))).toHaveLength(1);
    expect(logLine(status)).toContain('look at /joints');
  });

  it('is no readiness while a required stream has not been heard', () => {
    const unheard = { ...well, topic: '/camera', received: 0, trouble: 'silent' as const };
    const states = [[unheard], [{ ...unheard, received: 9 }]].map((streams) => {
      const status = { ...statusWith(well, ...streams), state: 'idle' as const };
      return [liveLines(status)[0]!.split(' ')[0], logLine(status).split(' ')[0]];
    });
    expect(states).toEqual([
      ['WAITING', 'waiting'],
      ['IDLE', 'idle'],
    ]);
  });
});
