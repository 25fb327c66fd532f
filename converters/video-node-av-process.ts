/**
 * A program: reads raw pictures from its standard input and writes them as AV1 into an mp4 file, or decodes video
 * packet by packet. It is a process of its own because the codecs would stall the event loop for tens of
 * milliseconds, and because the FFmpeg inside carries GPL parts. Without arguments it only tells, by its exit code,
 * that it can run.
 */
import { readSync } from 'node:fs';
import { Codec, CodecContext, Encoder, Frame, Muxer, Packet, Rational, SoftwareScaleContext } from 'node-av';
import * as av from 'node-av/constants';
import type { VideoSettings } from './video-encoder.ts';
import { CONVERSION_FLAGS, ENCODING, timescaleOf } from './video-encoding.ts';

/** SVT-AV1's highest level of parallelism. */
const MOST_THREADS = 6;

const [file, settings] = process.argv.slice(2);
if (file === 'decode') await decode(settings === 'h265' ? av.AV_CODEC_ID_HEVC : av.AV_CODEC_ID_H264);
else if (file && settings) await encode(file, JSON.parse(settings));
// The addon crashes when the runtime tears it down; everything is closed by now.
process.exit(0);

async function encode(target: string, { width, height, fps, threads = 0 }: VideoSettings) {
  const timeBase = new Rational(1, fps);
  const { crf, gop, preset, params } = ENCODING.libsvtav1;
  const encoder = Encoder.createSync(av.FF_ENCODER_LIBSVTAV1, {
    context: {
      // The library's own default of 1 Mbit/s contradicts a constant quality.
      bitRate: 0,
      gopSize: gop,
      timeBase,
      framerate: new Rational(fps, 1),
      colorSpace: av.AVCOL_SPC_SMPTE170M,
      colorRange: av.AVCOL_RANGE_MPEG,
    },
    options: { preset, crf, 'svtav1-params': `${params}:lp=${Math.min(threads, MOST_THREADS)}` },
  });
  const muxer = Muxer.openSync(target, {
    format: 'mp4',
    useAsyncWrite: false,
    options: { video_track_timescale: timescaleOf(fps) },
    configure: (context) => context.setFlags(av.AVFMT_FLAG_BITEXACT),
  });
  const stream = muxer.addStream(encoder);
  const scaler = new SoftwareScaleContext();
  scaler.allocContext();
  scaler.setOption('sws_flags', CONVERSION_FLAGS);

  const write = (frame: Frame | null) => {
    for (const packet of encoder.encodeAllSync(frame)) {
      muxer.writePacketSync(packet, stream);
      packet.free();
    }
  };
  const size = { width, height, timeBase };
  const source = emptyFrame({ ...size, format: av.AV_PIX_FMT_RGB24 });
  const frame = emptyFrame({ ...size, format: av.AV_PIX_FMT_YUV420P });
  let pts = 0n;
  for (const rgb of pictures(width * height * 3)) {
    source.fromBuffer(rgb);
    // The encoder may still hold the picture before.
    frame.makeWritable();
    scaler.scaleFrameSync(frame, source);
    frame.pts = pts++;
    write(frame);
  }
  write(null);
  muxer.closeSync();
  encoder.close();
}

/**
 * The pictures of the standard input; each is valid until the next is asked for. Read in place: a stream would
 * copy them in pieces of 64 KiB, and there is nothing else to do meanwhile.
 */
function* pictures(bytes: number): Generator<Buffer> {
  const STDIN = 0;
  const picture = Buffer.alloc(bytes);
  for (let filled = 0; ; ) {
    const count = readSync(STDIN, picture, filled, bytes - filled, null);
    if (count === 0) return;
    filled += count;
    if (filled < bytes) continue;
    yield picture;
    filled = 0;
  }
}

function emptyFrame(
  shape: Pick<Frame, 'width' | 'height' | 'format'> & Partial<Pick<Frame, 'timeBase'>>,
): Frame {
  const frame = new Frame();
  frame.alloc();
  Object.assign(frame, shape);
  frame.getBuffer();
  return frame;
}

/**
 * Asked on the standard input for each packet: uint32 length, uint8 of 1 where it is to be answered, 2 where nothing
 * before it counts any more and 4 where its pixels are not wanted, the packet. Answered on the standard output:
 * uint32 width and height, 0 where it does not decode, uint32 of 1 where the next packet must be a keyframe and 2
 * where it or one before it is damaged, the pixels.
 */
async function decode(id: av.AVCodecID) {
  const context = new CodecContext();
  const codec = Codec.findDecoder(id);
  context.allocContext3(codec);
  context.setFlags(av.AV_CODEC_FLAG_LOW_DELAY);
  // More threads would give each picture some pictures late.
  context.threadCount = 1;
  context.open2Sync(codec);
  const scaler = new SoftwareScaleContext();
  scaler.allocContext();
  scaler.setOption('sws_flags', CONVERSION_FLAGS);
  let number = 0n;
  let isDamaged = false;
  for await (const { packet: data, flags } of packets()) {
    if (flags & 2) {
      context.flushBuffers();
      isDamaged = false;
    }
    const packet = new Packet();
    packet.alloc();
    packet.data = data;
    packet.pts = ++number;
    if (context.sendPacketSync(packet) < 0) isDamaged = true;
    packet.free();
    let decoded = pictureOf(context, number);
    isDamaged ||= decoded.isDamaged;
    const isSpent = (flags & 1) !== 0 && !decoded.picture;
    if (isSpent) {
      // It may still be held back in favour of pictures that come before it.
      context.sendPacketSync(null);
      decoded = pictureOf(context, number);
      isDamaged ||= decoded.isDamaged || !decoded.picture;
      context.flushBuffers();
    }
    const { picture } = decoded;
    if (flags & 1)
      await answer(picture, {
        state: Number(isSpent) | (isDamaged ? 2 : 0),
        hasPixels: !(flags & 4),
        scaler,
      });
    picture?.free();
  }
}

/** The decoded picture of a packet; those of earlier ones are let go. */
function pictureOf(
  context: CodecContext,
  number: bigint,
): { readonly picture: Frame | undefined; readonly isDamaged: boolean } {
  let isDamaged = false;
  for (;;) {
    const frame = new Frame();
    frame.alloc();
    if (context.receiveFrameSync(frame) < 0) {
      frame.free();
      return { picture: undefined, isDamaged };
    }
    isDamaged ||= frame.decodeErrorFlags !== 0 || frame.hasFlags(av.AV_FRAME_FLAG_CORRUPT);
    if (frame.pts === number) return { picture: frame, isDamaged };
    frame.free();
  }
}

async function answer(
  picture: Frame | undefined,
  {
    state,
    hasPixels,
    scaler,
  }: { readonly state: number; readonly hasPixels: boolean; readonly scaler: SoftwareScaleContext },
) {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(picture?.width ?? 0, 0);
  header.writeUInt32LE(picture?.height ?? 0, 4);
  header.writeUInt32LE(state, 8);
  process.stdout.write(header);
  if (!picture || !hasPixels) return;
  const { width, height } = picture;
  const rgb = emptyFrame({ width, height, format: av.AV_PIX_FMT_RGB24 });
  scaler.scaleFrameSync(rgb, picture);
  process.stdout.write(rgb.toBuffer());
  rgb.free();
}

/** The packets of the standard input. */
async function* packets(): AsyncGenerator<{ readonly packet: Buffer; readonly flags: number }> {
  const HEADER_BYTES = 5;
  let waiting = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + waiting.readUInt32LE(0);
      if (waiting.length < end) break;
      yield { packet: waiting.subarray(HEADER_BYTES, end), flags: waiting[4]! };
      waiting = waiting.subarray(end);
    }
  }
}
