import { describe, expect, test } from 'vitest';
import type { ChannelSpec } from '../schemas/message.ts';
import type { ObservedMessage } from '../schemas/message-observer.ts';
import { LiveTaps } from './live-taps.ts';

const spec = (topic: string): ChannelSpec => ({
  topic,
  messageEncoding: 'json',
  schema: undefined,
  metadata: new Map(),
});
const message = (channelKey: number, logTime: bigint): ObservedMessage => ({
  channelKey,
  logTime,
  data: Uint8Array.of(channelKey),
});

describe('LiveTaps', () => {
  test('onChannel() tells of channels that appeared and of those to come, until it is ended', () => {
    const taps = new LiveTaps({ now: () => 0n }, () => []);
    taps.channelAppeared(1, spec('/a'));
    const seen: string[] = [];
    const end = taps.onChannel((key, { topic }) => seen.push(`${key} ${topic}`));
    taps.channelAppeared(2, spec('/b'));
    end();
    taps.channelAppeared(3, spec('/c'));
    expect(seen).toEqual(['1 /a', '2 /b']);
  });

  test('watch() shows latched messages first, then those of its channel, until it is ended', () => {
    const taps = new LiveTaps({ now: () => 0n }, (key) => (key === 1 ? [message(1, 5n)] : []));
    const seen: bigint[] = [];
    const end = taps.watch(1, ({ logTime }) => seen.push(logTime));
    taps.messageArrived(message(1, 10n));
    taps.messageArrived(message(2, 11n));
    end();
    taps.messageArrived(message(1, 12n));
    expect(seen).toEqual([5n, 10n]);
  });

  test('watch() serves two watchers of one channel apart from each other', () => {
    const taps = new LiveTaps({ now: () => 0n }, () => []);
    const seen: string[] = [];
    const endFirst = taps.watch(1, () => seen.push('first'));
    taps.watch(1, () => seen.push('second'));
    taps.messageArrived(message(1, 1n));
    endFirst();
    endFirst();
    taps.messageArrived(message(1, 2n));
    expect(seen).toEqual(['first', 'second', 'second']);
  });
});
