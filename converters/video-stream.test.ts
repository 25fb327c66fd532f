import { expect, test } from 'vitest';
import { CodedBits, nalUnits } from './coded-bits.ts';
import { codedPackets } from './coded-video.fixture.ts';
import { greyPackets } from './grey-video.fixture.ts';
import type { VideoCodec } from './video-packets.ts';
import { type VideoPicture, VideoStream } from './video-stream.ts';

const PERIOD = 100_000_000n;
const CODECS: readonly VideoCodec[] = ['h264', 'h265'];

/** What a stream makes of the twelve grey pictures, a keyframe every five. */
function taken(
  format: VideoCodec,
  {
    without = [] as readonly number[],
    edit = (data: Uint8Array, _: number): Uint8Array => data,
    delay = 0n,
  } = {},
) {
  const stream = new VideoStream();
  return greyPackets(format).flatMap((data, i) => {
    if (without.includes(i)) return [];
    const time = BigInt(i) * PERIOD + (i > 6 ? delay : 0n);
    return [stream.take({ data: edit(data, i), format }, time)];
  });
}

const states = (pictures: ReturnType<typeof taken>) =>
  pictures.map((picture) => (typeof picture === 'string' ? picture : picture.isKeyframe ? 'key' : 'shown'));

test('nalUnits() finds units behind long and short start codes, without the zeros after them', () => {
  const data = Uint8Array.of(9, 0, 0, 1, 5, 1, 2, 0, 0, 0, 1, 6, 1, 0, 0, 1);
  expect(nalUnits(data).map((unit) => [...unit])).toEqual([
    [5, 1, 2],
    [6, 1],
  ]);
  expect(nalUnits(Uint8Array.of())).toEqual([]);
  expect(nalUnits(Uint8Array.of(0, 0, 1))).toEqual([]);
});

test('CodedBits reads numbers of Exponential-Golomb code and passes over emulation prevention', () => {
  // 1 | 010 | 011 | 00100 | 00101, then 0, 0, 3, 1.
  const bits = new CodedBits(Uint8Array.of(0xff, 0b10100110, 0b01000010, 0b10000000, 0, 0, 3, 1), 1);
  expect([bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.signed(), bits.signed()]).toEqual([
    0, 1, 2, 2, -2,
  ]);
  bits.skip(7);
  expect(bits.bits(24)).toBe(1);
  expect(() => bits.flag()).toThrow(RangeError);
});

test.each(CODECS)('VideoStream.take() says what the headers of %s say', (codec) => {
  const pictures = taken(codec).filter((each): each is VideoPicture => typeof each !== 'string');
  expect(pictures).toHaveLength(12);
  expect(pictures.map(({ place }) => place)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(pictures.flatMap(({ isKeyframe, place }) => (isKeyframe ? [place] : []))).toEqual([0, 5, 10]);
  // The keyframes of this stream of H.265 go on counting.
  const orders = { h264: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1], h265: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] };
  expect(pictures.map(({ showOrder }) => showOrder)).toEqual(orders[codec]);
  expect(new Set(pictures.map(({ format }) => format)).size).toBe(1);
  expect(pictures[0]!.format).toMatchObject({ width: 64, height: 48, isPlain: true, isFullRange: false });
});

test.each(CODECS)('VideoStream.take() knows a loss within %s by the headers', (codec) => {
  const whole = ['key', 'shown', 'shown', 'shown', 'shown'];
  expect(states(taken(codec, { without: [6] }))).toEqual([
    ...whole,
    ...['key', 'broken', 'broken', 'broken'],
    ...['key', 'shown'],
  ]);
  expect(states(taken(codec, { without: [0, 4] }))).toEqual([
    ...['unbegun', 'unbegun', 'unbegun'],
    ...whole,
    ...['key', 'shown'],
  ]);
});

test.each(CODECS)('VideoStream.take() does not miss a picture of %s that no other refers to', (codec) => {
  const packets = codedPackets(codec, { width: 64, height: 48, pictures: 12, gop: 12, bFrames: 2 });
  const shown = (without: number) => {
    const stream = new VideoStream();
    return packets.flatMap((data, i) => {
      if (i === without) return [];
      const picture = stream.take({ data, format: codec }, BigInt(i) * PERIOD);
      return typeof picture === 'string' ? [] : [i];
    });
  };
  const all = packets.map((_, i) => i);
  expect(shown(-1)).toEqual(all);
  expect(shown(1)).toEqual([0]);
  // The last in the order of coding.
  expect(shown(11)).toEqual(all.slice(0, -1));
  const hurt = all.map((without) => shown(without).length);
  expect(new Set(hurt)).toContain(11);
  expect(Math.min(...hurt.slice(1))).toBe(1);
});

test.each(CODECS)(
  'VideoStream.take() takes a pause of %s for none, unless numbers may have come round',
  (codec) => {
    const whole = [...['key', 'shown', 'shown', 'shown', 'shown'], 'key', 'shown'];
    expect(states(taken(codec, { delay: 14n * PERIOD }))).toEqual([
      ...whole,
      ...['shown', 'shown', 'shown', 'key', 'shown'],
    ]);
    expect(states(taken(codec, { delay: 1000n * PERIOD }))).toEqual([
      ...whole,
      ...['broken', 'broken', 'broken', 'key', 'shown'],
    ]);
  },
);

test.each(CODECS)('VideoStream.take() knows parameters of %s that come by themselves or change', (codec) => {
  const [first] = greyPackets(codec);
  const units = nalUnits(first!);
  const annexB = (some: readonly Uint8Array[]) =>
    Buffer.concat(some.flatMap((unit) => [Buffer.of(0, 0, 1), unit]));
  const isSlice = (unit: Uint8Array) => (codec === 'h264' ? (unit[0]! & 31) === 5 : unit[0]! >> 1 < 32);
  const stream = new VideoStream();
  const take = (some: readonly Uint8Array[]) => stream.take({ data: annexB(some), format: codec }, 0n);
  expect(take(units.filter((unit) => !isSlice(unit)))).toBe('empty');
  const keyframe = take(units.filter(isSlice));
  expect(keyframe).toMatchObject({ isKeyframe: true, format: { width: 64 } });
  const again = take(units);
  expect((again as VideoPicture).format).toBe((keyframe as VideoPicture).format);
  // Another picture parameter set, of a number of its own.
  const picture =
    codec === 'h264' ? Uint8Array.of(0x68, 0b01010000) : Uint8Array.of(0x44, 1, 0b01010000, 0x80);
  const changed = take([...units.slice(0, -1), picture, units.at(-1)!]);
  expect((changed as VideoPicture).format).not.toBe((keyframe as VideoPicture).format);
});

test('VideoStream.take() leaves what it does not know to the decoder', () => {
  const stream = new VideoStream();
  expect(stream.take({ data: Uint8Array.of(1, 2, 3), format: 'vp9' }, 0n)).toMatchObject({
    codec: undefined,
  });
  expect(stream.take({ data: Uint8Array.of(0, 0, 0, 1, 5, 1, 2, 3), format: 'h264' }, 0n)).toMatchObject({
    ...{ isKeyframe: true, showOrder: undefined, format: undefined },
  });
});
