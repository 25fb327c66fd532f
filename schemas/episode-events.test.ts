import { expect, test } from 'vitest';
import {
  decodeEvent,
  type EpisodeEvent,
  EVENTS_CHANNEL,
  EVENTS_TOPIC,
  encodeEvent,
} from './episode-events.ts';
import { createEncoder } from './message-codec.ts';

test.each<EpisodeEvent>([
  { event: 'start', by: 'p1' },
  { event: 'note', by: 'p1', text: 'two words' },
  { event: 'note', by: 'p1', text: 'Höhe zu groß – 再来一次 🤖' },
])('decodeEvent() reads back %o', (event) => {
  expect(decodeEvent(encodeEvent(event))).toEqual(event);
});

test.each(['', '{', '7', '{"event":"nap","by":"p1"}'])('decodeEvent() names what is no event: %o', (data) => {
  const encode = createEncoder(EVENTS_TOPIC, EVENTS_CHANNEL.schema!);
  expect(() => decodeEvent(encode({ data }))).toThrow(
    expect.objectContaining({ code: 'MESSAGE', message: expect.stringContaining(JSON.stringify(data)) }),
  );
});
