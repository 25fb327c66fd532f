import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { VideoBackend } from './video-encoder.ts';
import { CONVERSION_FLAGS, ENCODING, timescaleOf } from './video-encoding.ts';

type Encoder = VideoBackend['encoder'];

/** The `ffmpeg` on the PATH, with SVT-AV1 or else x264; undefined where there is none. */
export async function ffmpegBackend(): Promise<VideoBackend | undefined> {
  const [encoder] = await ffmpegEncoders();
  if (encoder === 'libx264') {
    process.emitWarning(
      'ffmpeg on the PATH has no libsvtav1: videos become H.264 by libx264 instead of AV1.',
    );
  }
  return encoder && ffmpegWith(encoder);
}

/** Which of our encoders the `ffmpeg` on the PATH has, the best first. */
export async function ffmpegEncoders(): Promise<readonly Encoder[]> {
  let listed: string;
  try {
    ({ stdout: listed } = await promisify(execFile)('ffmpeg', ['-hide_banner', '-encoders']));
  } catch {
    // Not installed, or it does not run here.
    return [];
  }
  return (['libsvtav1', 'libx264'] as const).filter((name) => listed.includes(` ${name} `));
}

/** Whether the `ffmpeg` on the PATH decodes what we encode. */
export async function ffmpegDecodes(): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ffmpeg', ['-hide_banner', '-decoders']);
    return / (libdav1d|libaom-av1|av1) /.test(stdout) && / h264 /.test(stdout);
  } catch {
    return false;
  }
}

export function ffmpegWith(encoder: Encoder): VideoBackend {
  const { gop, crf, preset } = ENCODING[encoder];
  const { params } = ENCODING.libsvtav1;
  return {
    name: 'ffmpeg',
    encoder,
    command: (file, { width, height, fps }) => [
      'ffmpeg',
      ...['-hide_banner', '-loglevel', 'error', '-y'],
      ...['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`],
      ...['-framerate', `${fps}`, '-i', 'pipe:0'],
      ...['-sws_flags', CONVERSION_FLAGS, '-pix_fmt', 'yuv420p'],
      ...['-color_range', 'tv', '-colorspace', 'smpte170m'],
      ...['-c:v', encoder, '-g', `${gop}`, '-crf', `${crf}`, '-preset', `${preset}`],
      // Frames in the order in which they are shown; x264's bytes depend on the number of its threads.
      ...(encoder === 'libx264' ? ['-bf', '0', '-threads', '1'] : ['-svtav1-params', params]),
      // No time of writing and no version in the file.
      ...['-flags:v', '+bitexact', '-fflags', '+bitexact'],
      ...['-video_track_timescale', `${timescaleOf(fps)}`, '-f', 'mp4', file],
    ],
  };
}
