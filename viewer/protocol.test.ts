import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ClientFrame, chooseSubprotocol, type ServerBinary, type ServerText } from './protocol.ts';
import {
  encodePlaybackControl,
  encodeServiceCallRequest,
  encodeSetParameters,
  encodeSubscribe,
  encodeUnsubscribe,
} from './protocol-client.ts';
import { parseClientFrame } from './protocol-parse.ts';
import {
  decodeServerBinary,
  encodeAssetAnswer,
  encodeMessageData,
  encodePlaybackState,
  encodeServerText,
  encodeServiceCallResponse,
  encodeTime,
} from './protocol-server.ts';

const utf8 = (value: string) => new TextEncoder().encode(value);
const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');
const unhex = (value: string) => Uint8Array.from(value.split(' '), (b) => Number.parseInt(b, 16));
const playing = { status: 'playing', currentTime: 12345n, speed: 1 } as const;

/** Golden bytes of foxglove-sdk's own snapshot tests, by the snapshot's name. */
const SERVER_FRAMES: readonly [name: string, frame: ServerBinary, bytes: string][] = [
  [
    'v1__server__message_data__tests__encode',
    { op: 'messageData', subscriptionId: 30, logTime: 1234n, payload: utf8('{"key": "value"}') },
    '01 1e 00 00 00 d2 04 00 00 00 00 00 00 7b 22 6b 65 79 22 3a 20 22 76 61 6c 75 65 22 7d',
  ],
  ['v1__server__tests__time_encode', { op: 'time', time: 1234567890n }, '02 d2 02 96 49 00 00 00 00'],
  [
    'v1__server__tests__service_call_response_encode',
    {
      op: 'serviceCallResponse',
      serviceId: 10,
      callId: 12,
      encoding: 'json',
      payload: utf8('{"key": "value"}'),
    },
    '03 0a 00 00 00 0c 00 00 00 04 00 00 00 6a 73 6f 6e 7b 22 6b 65 79 22 3a 20 22 76 61 6c 75 65 22 7d',
  ],
  [
    'v1__server__tests__playback_state_encode_playing',
    { op: 'playbackState', ...playing, didSeek: false },
    '05 00 39 30 00 00 00 00 00 00 00 00 80 3f 00 00 00 00 00',
  ],
  [
    'v1__server__tests__playback_state_encode_playing_with_request_id',
    { op: 'playbackState', ...playing, didSeek: false, requestId: 'i-am-a-request' },
    '05 00 39 30 00 00 00 00 00 00 00 00 80 3f 00 0e 00 00 00 69 2d 61 6d 2d 61 2d 72 65 71 75 65 73 74',
  ],
  [
    'v1__server__tests__playback_state_encode_did_seek',
    { op: 'playbackState', ...playing, didSeek: true },
    '05 00 39 30 00 00 00 00 00 00 00 00 80 3f 01 00 00 00 00',
  ],
  [
    'v1__server__tests__fetch_asset_response_encode_asset_data',
    { op: 'fetchAssetResponse', requestId: 10, data: utf8('data') },
    '04 0a 00 00 00 00 00 00 00 00 64 61 74 61',
  ],
  [
    'v1__server__tests__fetch_asset_response_encode_error_message',
    { op: 'fetchAssetResponse', requestId: 10, fault: 'oh no' },
    '04 0a 00 00 00 01 05 00 00 00 6f 68 20 6e 6f',
  ],
];

function encodeServerBinary(frame: ServerBinary): Uint8Array {
  switch (frame.op) {
    case 'messageData':
      return encodeMessageData(frame.subscriptionId, frame.logTime, frame.payload);
    case 'time':
      return encodeTime(frame.time);
    case 'serviceCallResponse':
      return encodeServiceCallResponse(frame);
    case 'playbackState':
      return encodePlaybackState(frame);
    case 'fetchAssetResponse':
      return encodeAssetAnswer(frame);
  }
}

const CLIENT_FRAMES: readonly [name: string, frame: ClientFrame, bytes: string][] = [
  [
    'v1__client__tests__playback_control_request_encode_play_with_seek',
    {
      op: 'playbackControlRequest',
      command: 'play',
      speed: 1,
      seekTime: 123456789n,
      requestId: 'some-id',
    },
    '03 00 00 00 80 3f 01 15 cd 5b 07 00 00 00 00 07 00 00 00 73 6f 6d 65 2d 69 64',
  ],
  [
    'v1__client__tests__playback_control_request_encode_pause',
    { op: 'playbackControlRequest', command: 'pause', speed: 1, requestId: 'some-id' },
    '03 01 00 00 80 3f 00 00 00 00 00 00 00 00 00 07 00 00 00 73 6f 6d 65 2d 69 64',
  ],
  [
    'v1__client__tests__playback_control_request_encode_play',
    { op: 'playbackControlRequest', command: 'play', speed: 1, requestId: 'some-id' },
    '03 00 00 00 80 3f 00 00 00 00 00 00 00 00 00 07 00 00 00 73 6f 6d 65 2d 69 64',
  ],
  [
    'v1__client__tests__service_call_request_encode',
    {
      op: 'serviceCallRequest',
      serviceId: 10,
      callId: 12,
      encoding: 'json',
      payload: utf8('{"key": "value"}'),
    },
    '02 0a 00 00 00 0c 00 00 00 04 00 00 00 6a 73 6f 6e 7b 22 6b 65 79 22 3a 20 22 76 61 6c 75 65 22 7d',
  ],
];

describe('decodeServerBinary() and the encoders of a server', () => {
  test.each(SERVER_FRAMES)('agree with the golden bytes of %s', (_, frame, bytes) => {
    expect(hex(encodeServerBinary(frame))).toBe(bytes);
    expect(decodeServerBinary(unhex(bytes))).toEqual(frame);
  });

  test('decodeServerBinary() returns undefined when the opcode is unknown', () => {
    expect(decodeServerBinary(unhex('7f 00 00'))).toBeUndefined();
  });

  test.each(SERVER_FRAMES.filter(([, { op }]) => op === 'time' || op === 'playbackState'))(
    'decodeServerBinary() throws RangeError when %s is cut short',
    (_, __, bytes) => {
      expect(() => decodeServerBinary(unhex(bytes).subarray(0, -1))).toThrow(RangeError);
    },
  );
});

describe('encodeServerText()', () => {
  test('writes serverInfo as the SDK does', () => {
    const info: ServerText = {
      op: 'serverInfo',
      name: 'example server',
      capabilities: ['clientPublish', 'time', 'playbackControl'],
      supportedEncodings: ['json'],
      metadata: { key: 'value' },
      sessionId: '1675789422160',
      dataStartTime: { sec: 0, nsec: 1_000_000 },
      dataEndTime: { sec: 0, nsec: 1_000_005 },
    };
    expect(encodeServerText(info)).toBe(
      '{"op":"serverInfo","name":"example server","capabilities":["clientPublish","time","playbackControl"],' +
        '"supportedEncodings":["json"],"metadata":{"key":"value"},"sessionId":"1675789422160",' +
        '"dataStartTime":{"sec":0,"nsec":1000000},"dataEndTime":{"sec":0,"nsec":1000005}}',
    );
  });
});

describe('parseClientFrame()', () => {
  test.each(CLIENT_FRAMES)('agrees with the golden bytes of %s', (_, frame, bytes) => {
    expect(parseClientFrame(unhex(bytes))).toEqual({ frame });
    if (frame.op === 'playbackControlRequest') expect(hex(encodePlaybackControl(frame))).toBe(bytes);
    if (frame.op === 'serviceCallRequest') expect(hex(encodeServiceCallRequest(frame))).toBe(bytes);
  });

  test.each<[string, ClientFrame]>([
    [
      encodeSubscribe([{ id: 1, channelId: 10 }]),
      { op: 'subscribe', subscriptions: [{ id: 1, channelId: 10 }] },
    ],
    [encodeUnsubscribe([1, 2, 3]), { op: 'unsubscribe', subscriptionIds: [1, 2, 3] }],
    [
      encodeSetParameters([{ name: '/replay.speed', value: 2 }], 'my-id'),
      { op: 'setParameters', parameters: [{ name: '/replay.speed', value: 2 }], id: 'my-id' },
    ],
    [
      '{"op":"fetchAsset","requestId":42,"uri":"package://foxglove/example.urdf"}',
      { op: 'fetchAsset', requestId: 42, uri: 'package://foxglove/example.urdf' },
    ],
    [
      '{"op":"advertise","channels":[{"id":10,"topic":"/t1","encoding":"json","schemaName":""}]}',
      { op: 'advertise', channels: [{ id: 10, topic: '/t1', encoding: 'json' }] },
    ],
    ['{"op":"unadvertise","channelIds":[1,2,3]}', { op: 'unadvertise', channelIds: [1, 2, 3] }],
    ['{"op":"subscribeConnectionGraph"}', { op: 'subscribeConnectionGraph' }],
    ['{"op":"unsubscribeConnectionGraph"}', { op: 'unsubscribeConnectionGraph' }],
  ])('understands %s', (text, frame) => {
    expect(parseClientFrame(text)).toEqual({ frame });
  });

  test.each([
    ['no JSON', 'hello'],
    ['JSON that is no object', 'null'],
    ['no op', '{}'],
    ['an unknown op', '{"op":"reboot"}'],
    ['a wrong type', '{"op":"subscribe","subscriptions":[{"id":"1","channelId":2}]}'],
    ['a negative id', '{"op":"unsubscribe","subscriptionIds":[-1]}'],
    ['an empty binary frame', new Uint8Array()],
    ['an unknown opcode', unhex('ff 00')],
    ['message data without a channel', unhex('01 0a 00')],
    ['a playback control without its end', unhex('03 00 00 00 80 3f 01 15 cd')],
    ['an id longer than the frame', unhex('03 00 00 00 80 3f 00 00 00 00 00 00 00 00 00 ff ff ff ff 73 6f')],
    ['an unknown command', unhex('03 07 00 00 80 3f 00 00 00 00 00 00 00 00 00 00 00 00 00')],
    ['an encoding longer than the frame', unhex('02 0a 00 00 00 0c 00 00 00 ff ff 00 00 6a')],
  ])('answers with a fault when it gets %s', (_, frame) => {
    expect(parseClientFrame(frame)).toEqual({ fault: expect.any(String) });
  });

  test('never throws whatever bytes come', () => {
    let seed = 1;
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: round % 40 }, () => {
        seed = (seed * 48271) % 2147483647;
        return seed;
      });
      if (bytes.length > 0) bytes[0] = round % 5;
      expect(parseClientFrame(bytes)).toBeTypeOf('object');
    }
  });
});

describe('chooseSubprotocol()', () => {
  test.each([
    [['foxglove.websocket.v1', 'foxglove.sdk.v1'], 'foxglove.sdk.v1'],
    [['foxglove.websocket.v1'], 'foxglove.websocket.v1'],
    [['mqtt'], undefined],
    [[], undefined],
  ])('answers the offer %j with %s', (offered, chosen) => {
    expect(chooseSubprotocol(offered)).toBe(chosen);
  });
});

const GOLDEN = new URL('../../shared/protocol-golden.json', import.meta.url);
test.skipIf(!existsSync(GOLDEN))('the frames above are those of the SDK (skipped without its file)', () => {
  const golden: unknown = JSON.parse(readFileSync(GOLDEN, 'utf8'));
  const bytes = Object.fromEntries([...SERVER_FRAMES, ...CLIENT_FRAMES].map(([name, , hex]) => [name, hex]));
  expect(golden).toMatchObject(bytes);
});
