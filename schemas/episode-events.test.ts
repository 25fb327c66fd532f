import { expect, test } from 'vitest';
import { decodeEvent, type EpisodeEvent, encodeEvent } from './episode-events.ts';

test.each<EpisodeEvent>([
  { event: 'start', by: 'p1' },
  { event: 'note', by: 'p1', text: 'two words' },
  { event: 'note', by: 'p1', text: 'Höhe zu groß – 再来一次 🤖' },
])('decodeEvent() reads back %o', (event) => {
  expect(decodeEvent(encodeEvent(event))).toEqual(event);
});
