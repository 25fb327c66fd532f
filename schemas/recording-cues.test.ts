import { expect, it } from 'vitest';
import { type AudibleStatus, cueOf } from './recording-cues.ts';

const idle: AudibleStatus = { state: 'idle', kept: 0, discarded: 0, streams: [{ topic: '/joints' }] };
const recording: AudibleStatus = { ...idle, state: 'recording' };
const review: AudibleStatus = { ...idle, state: 'review' };
const silent = (status: AudibleStatus) => ({ ...status, streams: [{ topic: '/joints', trouble: 'silent' }] });

it.each<[string, AudibleStatus, AudibleStatus, ReturnType<typeof cueOf>]>([
  ['nothing while nothing happens', recording, recording, undefined],
  ['a start', idle, recording, 'start'],
  ['a start right after a kept take', review, { ...recording, kept: 1 }, 'start'],
  ['a stop', recording, review, 'stop'],
  ['a kept take', review, { ...idle, kept: 1 }, 'kept'],
  ['a discarded take', review, { ...idle, discarded: 1 }, 'discarded'],
  ['a stream that gets into trouble in a take', recording, silent(recording), 'trouble'],
  ['that once', silent(recording), silent(recording), undefined],
  ['no stream between two takes', idle, silent(idle), undefined],
  ['a start though a stream is in trouble: the screen said so', silent(idle), silent(recording), 'start'],
  ['trouble of the session before what it led to', recording, { ...review, trouble: 'disk full' }, 'trouble'],
])('cueOf() lets one hear %s', (_what, before, now, cue) => {
  expect(cueOf(before, now)).toBe(cue);
});
