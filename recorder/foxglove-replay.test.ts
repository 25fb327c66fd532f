import { describe, expect, it } from 'vitest';
import { ReplayProgress } from './foxglove-replay.ts';

interface Played {
  readonly key: number;
  readonly time: bigint;
  readonly text: string;
}
type Frame = { readonly time: bigint } | { readonly message: Played };

const LATCHED = 2;

/** Equal times within and across channels, a latched message that comes late. */
const RECORDING: readonly Played[] = [
  ...[0n, 10n, 20n, 20n, 20n, 30n, 50n, 60n].map((time) => ({ key: 0, time })),
  ...[0n, 20n, 20n, 30n, 50n].map((time) => ({ key: 1, time })),
  ...[45n, 45n, 55n].map((time) => ({ key: LATCHED, time })),
]
  .sort((a, b) => Number(a.time - b.time))
  .map((message, i) => ({ ...message, text: `${i}` }));

/** What our replay sends after a request: the latest of each topic, then what follows, the time before each. */
function* replay(request: Uint8Array): Generator<Frame> {
  const seekTime = new DataView(request.buffer).getBigUint64(7, true);
  yield { time: seekTime };
  for (const key of [0, 1, LATCHED]) {
    const ofKey = RECORDING.filter((message) => message.key === key);
    const before = ofKey.filter(({ time }) => time <= seekTime);
    const latest = before.at(-1) ?? (key === LATCHED ? ofKey[0] : undefined);
    if (latest) yield { message: latest };
  }
  for (const message of RECORDING.filter(({ time }) => time > seekTime)) {
    yield { time: message.time };
    yield { message };
  }
}

/** Takes so many frames of one connection. @returns what was new. */
function take(progress: ReplayProgress, frames: number): string[] {
  const request = progress.play();
  const requestId = new TextDecoder().decode(request.subarray(19));
  const taken: string[] = [];
  progress.playbackState({ op: 'playbackState', hasEnded: false, requestId });
  for (const frame of [...replay(request)].slice(0, frames)) {
    if ('time' in frame) progress.time(frame.time);
    else {
      const { key, time, text } = frame.message;
      if (progress.isNew(key, time, key === LATCHED)) taken.push(text);
    }
  }
  progress.interrupted();
  return taken;
}

describe('ReplayProgress', () => {
  const frames = 2 * RECORDING.length + 4;
  const all = RECORDING.map(({ text }) => text).sort();

  it('takes every message once, wherever two connections break', () => {
    for (let first = 0; first <= frames; first++) {
      for (let second = 0; second <= frames; second += 3) {
        const progress = new ReplayProgress(0n);
        const taken = [first, second, frames].flatMap((count) => take(progress, count));
        expect(taken.sort(), `broken after ${first} and ${second} frames`).toEqual(all);
      }
    }
  });

  it('takes nothing before its request is answered, nor after a connection has broken', () => {
    const progress = new ReplayProgress(0n);
    expect(progress.isNew(0, 5n, false)).toBe(false);
    progress.play();
    progress.playbackState({ op: 'playbackState', hasEnded: true, requestId: 'of somebody else' });
    expect(progress.isNew(0, 5n, false)).toBe(false);
    progress.playbackState({ op: 'playbackState', hasEnded: false, requestId: 'kinescribe-1' });
    expect(progress.isNew(0, 5n, false)).toBe(true);
    progress.interrupted();
    expect(progress.isNew(0, 6n, false)).toBe(false);
    expect(progress.hasEnded).toBe(false);
  });

  it('ends with the replay, whoever asked', () => {
    const progress = new ReplayProgress(0n);
    take(progress, frames);
    progress.play();
    progress.playbackState({ op: 'playbackState', hasEnded: false, requestId: 'kinescribe-2' });
    progress.playbackState({ op: 'playbackState', hasEnded: true, requestId: '' });
    expect(progress.hasEnded).toBe(true);
  });
});
