import { describe, expect, it } from 'vitest';
import { encodePlayFrom, encodeSubscribe, parseBinary, parseText } from './foxglove-frames.ts';

/** Golden frames of foxglove-sdk: the snapshots of its own tests. */
const MESSAGE_DATA = '01 1e 00 00 00 d2 04 00 00 00 00 00 00 7b 22 6b 65 79 22 3a 20 22 76 61 6c 75 65 22 7d';
const TIME = '02 d2 02 96 49 00 00 00 00';
const SERVICE_RESPONSE = '03 01 00 00 00 02 00 00 00 03 00 00 00 72 61 77 79 65 73';
const PLAYBACK_STATE =
  '05 00 39 30 00 00 00 00 00 00 00 00 80 3f 00 0e 00 00 00 69 2d 61 6d 2d 61 2d 72 65 71 75 65 73 74';
const PLAY_FROM = '03 00 00 00 80 3f 01 15 cd 5b 07 00 00 00 00 07 00 00 00 73 6f 6d 65 2d 69 64';
const SERVER_INFO = {
  ...{ op: 'serverInfo', name: 'example server', capabilities: ['clientPublish', 'time', 'playbackControl'] },
  ...{ supportedEncodings: ['json'], metadata: { key: 'value' }, sessionId: '1675789422160' },
  ...{ dataStartTime: { sec: 0, nsec: 1_000_000 }, dataEndTime: { sec: 0, nsec: 1_000_005 } },
};

const bytes = (hex: string): ArrayBuffer =>
  Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16)).buffer;
const hex = (frame: Uint8Array): string =>
  Buffer.from(frame)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');

describe('parseBinary()', () => {
  it("reads the SDK's frames", () => {
    const payload = new Uint8Array(Buffer.from('{"key": "value"}'));
    expect(parseBinary(bytes(MESSAGE_DATA)).frame).toEqual({
      op: 'messageData',
      subscriptionId: 30,
      time: 1234n,
      payload,
    });
    expect(parseBinary(bytes(TIME)).frame).toEqual({ op: 'time', time: 1_234_567_890n });
    expect(parseBinary(bytes(PLAYBACK_STATE)).frame).toEqual({
      ...{ op: 'playbackState', hasEnded: false, requestId: 'i-am-a-request' },
    });
    expect(parseBinary(bytes(SERVICE_RESPONSE))).toEqual({ faults: [] });
  });

  it.each([MESSAGE_DATA.slice(0, 35), TIME.slice(0, 23), PLAYBACK_STATE.slice(0, 80), '01', '05'])(
    'finds "%s" cut off',
    (frame) => {
      expect(parseBinary(bytes(frame)).faults).toEqual([expect.stringContaining('cut off')]);
    },
  );
});

describe('parseText()', () => {
  it("reads the SDK's introduction", () => {
    expect(parseText(JSON.stringify(SERVER_INFO)).frame).toEqual({
      ...{ op: 'serverInfo', capabilities: SERVER_INFO.capabilities, sessionId: '1675789422160' },
      dataStartTime: 1_000_000n,
    });
  });

  it('passes over what other clients need', () => {
    expect(parseText('{"op":"connectionGraphUpdate","publishedTopics":7}')).toEqual({ faults: [] });
  });
});

describe('the encoders', () => {
  it("write the SDK's frames", () => {
    expect(hex(encodePlayFrom(123_456_789n, 'some-id'))).toBe(PLAY_FROM);
    const subscriptions = [
      { id: 1, channelId: 10 },
      { id: 2, channelId: 20 },
    ];
    expect(JSON.parse(encodeSubscribe(subscriptions))).toEqual({ op: 'subscribe', subscriptions });
  });
});
