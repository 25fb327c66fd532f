import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { VideoBackend } from './video-encoder.ts';
import { CONVERSION_FLAGS, ENCODING, timescaleOf } from './video-encoding.ts';

/** The `ffmpeg` on the PATH, with SVT-AV1 or else x264; undefined where there is none. */
export async function ffmpegBackend(): Promise<VideoBackend | undefined> {
  const encoders = await listEncoders();
  const encoder = (['libsvtav1', 'libx264'] as const).find((name) => encoders.includes(` ${name} `));
  if (encoder === 'libx264') {
    process.emitWarning(
      'ffmpeg on the PATH has no libsvtav1: videos become H.264 by libx264 instead of AV1.',
    );
  }
  return (
    encoder && {
      name: 'ffmpeg',
      encoder,
      command: (file, { width, height, fps }) => [
        'ffmpeg',
        ...['-hide_banner', '-loglevel', 'error', '-y'],
        ...['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`],
        ...['-framerate', `${fps}`, '-i', 'pipe:0'],
        ...['-sws_flags', CONVERSION_FLAGS, '-pix_fmt', 'yuv420p'],
        ...['-color_range', 'tv', '-colorspace', 'smpte170m'],
        ...['-c:v', encoder, '-g', `${ENCODING[encoder].gop}`, '-crf', `${ENCODING[encoder].crf}`],
        ...['-preset', `${ENCODING[encoder].preset}`, ...(encoder === 'libx264' ? ['-bf', '0'] : [])],
        // No time of writing and no version in the file.
        ...['-flags:v', '+bitexact', '-fflags', '+bitexact'],
        ...['-video_track_timescale', `${timescaleOf(fps)}`, '-f', 'mp4', file],
      ],
    }
  );
}

async function listEncoders(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ffmpeg', ['-hide_banner', '-encoders']);
    return stdout;
  } catch {
    // Not installed, or it does not run here: the next backend is asked.
    return '';
  }
}
