import { expect, test } from 'vitest';
import { testContract } from '../converters/episode.fixture.ts';
import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { audioLines } from './audio-lines.ts';

const contract = testContract(`
streams: { mic: { topic: /mic, role: perception, type: audio_common_msgs/msg/AudioData } }
features: {}
audio: { left: { stream: mic, sampleRateHz: 1000 } }
samples: { tickRateHz: 10 }`);

function episode(sound: Omit<NonNullable<ManifestEpisode['audio']>[number], 'name' | 'samples'>) {
  const times = { startTime: '0', endTime: '0', trimmedStart: 0, trimmedEnd: 0, clocks: [] };
  const source = { index: 0, id: 'a', file: 'a.mcap', digest: `sha256:${'0'.repeat(64)}`, task: 'pick' };
  return { ...times, ...source, frames: 10, audio: [{ name: 'left', samples: 1000, ...sound }] };
}

test.each([
  ['nothing of whole sound', { silences: [], driftSecs: 0.001 }, []],
  [
    'what was not recorded',
    {
      silences: [
        { from: 0, to: 40 },
        { from: 100, to: 110 },
      ],
      driftSecs: 0,
    },
    ['  SILENT a, "left": 0.050 of 1.000 s in 2 places were not recorded'],
  ],
  [
    'a clock that runs away',
    { silences: [{ from: 0, to: 1 }], driftSecs: 0.0304 },
    [
      '  SILENT a, "left": 0.001 of 1.000 s in one place were not recorded',
      '  DRIFT a, "left": its stamps moved 0.030 s away from its samples',
    ],
  ],
])('audioLines() says %s', (_, sound, lines) => {
  expect(audioLines([episode(sound)], contract)).toEqual(lines);
});
