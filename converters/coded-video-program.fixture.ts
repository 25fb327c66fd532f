/** A program: codes pictures of a moving pattern and writes uint32 length and bytes of each packet to its output. */
import { writeSync } from 'node:fs';
import { Encoder, Frame, Log, Rational } from 'node-av';
import * as av from 'node-av/constants';
import type { CodedVideoOptions } from './coded-video.fixture.ts';
import type { VideoCodec } from './video-packets.ts';

const ENCODERS = {
  h264: { name: av.FF_ENCODER_LIBX264, params: 'x264-params' },
  h265: { name: av.FF_ENCODER_LIBX265, params: 'x265-params' },
} as const;

function codedPackets(codec: VideoCodec, options: CodedVideoOptions): readonly Uint8Array[] {
  const { width, height, pictures, gop, bFrames = 0 } = options;
  const { name, params } = ENCODERS[codec];
  Log.setLevel(av.AV_LOG_ERROR);
  const timeBase = new Rational(1, 30);
  const encoder = Encoder.createSync(name, {
    context: { gopSize: gop, maxBFrames: bFrames, timeBase, framerate: new Rational(30, 1), bitRate: 0 },
    options: {
      preset: 'ultrafast',
      crf: 23,
      [params]: `keyint=${gop}:bframes=${bFrames}:scenecut=0:ref=2${codec === 'h265' ? ':open-gop=0:log-level=0' : ''}`,
    },
  });
  const packets: Uint8Array[] = [];
  const encode = (frame: Frame | null) => {
    for (const packet of encoder.encodeAllSync(frame)) {
      packets.push(Uint8Array.from(packet.data!));
      packet.free();
    }
  };
  for (let i = 0; i < pictures; i++) {
    const frame = new Frame();
    frame.alloc();
    Object.assign(frame, { width, height, format: av.AV_PIX_FMT_YUV420P, timeBase });
    frame.getBuffer();
    frame.fromBuffer(Buffer.from(pattern(width, height, i)));
    frame.pts = BigInt(i);
    encode(frame);
    frame.free();
  }
  encode(null);
  encoder.close();
  return packets;
}

/** Planes of luma and both chromas. */
function pattern(width: number, height: number, picture: number): Uint8Array {
  const planes = new Uint8Array((width * height * 3) / 2).fill(128);
  let noise = picture + 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      noise = (noise * 1_103_515_245 + 12_345) & 0x7fffffff;
      planes[y * width + x] = 40 + ((x + 3 * picture) & 63) * 2 + ((y >> 3) & 15) + (noise >> 27);
    }
  }
  const half = width >> 1;
  const chroma = width * height;
  for (let i = 0; i < half * (height >> 1); i++) planes[chroma + i] = 64 + (((i % half) + 2 * picture) % 128);
  return planes;
}

const [codec, options = ''] = process.argv.slice(2);
for (const packet of codedPackets(codec === 'h265' ? 'h265' : 'h264', JSON.parse(options))) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(packet.length);
  const bytes = Buffer.concat([length, packet]);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
// The addon crashes when the runtime tears it down.
process.exit(0);
