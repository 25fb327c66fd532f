/**
 * A program: reads raw pictures from its standard input and writes them as AV1 into an mp4 file. It is a
 * process of its own because the encoder would stall the event loop for tens of milliseconds, and because
 * the FFmpeg inside carries GPL parts. Without arguments it only tells, by its exit code, that it can run.
 */
import { Encoder, Frame, Muxer, Rational, SoftwareScaleContext } from 'node-av';
import * as av from 'node-av/constants';
import { CONVERSION_FLAGS, ENCODING, timescaleOf } from './video-encoding.ts';

const [file, settings] = process.argv.slice(2);
if (file && settings) await encode(file, JSON.parse(settings));
// The addon crashes when the runtime tears it down; everything is closed by now.
process.exit(0);

async function encode(
  target: string,
  { width, height, fps }: { width: number; height: number; fps: number },
) {
  const timeBase = new Rational(1, fps);
  const { crf, gop, preset } = ENCODING.libsvtav1;
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
    options: { preset, crf },
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
  let pts = 0n;
  for await (const rgb of pictures(width * height * 3)) {
    const source = Frame.fromVideoBuffer(rgb, { width, height, format: av.AV_PIX_FMT_RGB24, timeBase });
    const frame = new Frame();
    frame.alloc();
    Object.assign(frame, { width, height, format: av.AV_PIX_FMT_YUV420P });
    frame.getBuffer();
    scaler.scaleFrameSync(frame, source);
    Object.assign(frame, { timeBase, pts: pts++ });
    write(frame);
    source.free();
    frame.free();
  }
  write(null);
  muxer.closeSync();
  encoder.close();
}

/** Cuts the standard input into pictures; each is valid until the next is asked for. */
async function* pictures(bytes: number): AsyncGenerator<Buffer> {
  const picture = Buffer.alloc(bytes);
  let filled = 0;
  for await (const chunk of process.stdin) {
    for (let taken = 0; taken < chunk.length; ) {
      const count = chunk.copy(picture, filled, taken);
      taken += count;
      filled += count;
      if (filled < bytes) continue;
      yield picture;
      filled = 0;
    }
  }
}
