import { expect, test } from 'vitest';
import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { videoLines } from './video-lines.ts';

const EPISODE: ManifestEpisode = {
  ...{ index: 0, id: 'take-1', file: 'take-1.mcap', digest: `sha256:${'0'.repeat(64)}`, task: 'pick' },
  ...{ frames: 10, trimmedStart: 0, trimmedEnd: 0, startTime: '0', endTime: '1', clocks: [] },
};

test('videoLines() says what was copied, what was not and why, and what cannot be shown', () => {
  const reason = 'frame 131 shows the picture of frame 130 again';
  const lines = videoLines([
    { ...EPISODE, videos: [{ feature: 'front', made: 'copied', lead: 4 }] },
    {
      ...{ ...EPISODE, id: 'take-2' },
      videos: [{ feature: 'front', made: 'encoded', reason }],
      unusablePictures: [{ stream: 'camera', unbegun: 3, broken: 7 }],
    },
  ]);
  expect(lines).toEqual([
    '  VIDEO "front": copied as it was recorded in 1 of 2 episodes',
    '  VIDEO take-2, "front": encoded anew, because frame 131 shows the picture of frame 130 again',
    '  UNUSABLE take-2, stream "camera": 3 pictures before the first keyframe and 7 pictures after a lost one, up to ' +
      'the next keyframe, are in no frame',
  ]);
  expect(videoLines([EPISODE])).toEqual([]);
});
