import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatasetError, MissingFeatureError } from '../schemas/errors.ts';
import { ffmpegDecodes } from './video-ffmpeg.ts';

export interface VideoFramesOptions {
  /** Places of the frames in the file, ascending. */
  readonly frames: readonly number[];
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes some frames of a video file, in order, with the `ffmpeg` on the PATH.
 *
 * @returns pictures, [height, width, 3] uint8 RGB, row-major.
 * @throws {MissingFeatureError} when there is no ffmpeg that decodes AV1 and H.264.
 * @throws {DatasetError} when the file holds fewer frames, or does not decode.
 */
export async function* videoFrames(
  file: string,
  { frames, width, height }: VideoFramesOptions,
): AsyncGenerator<Uint8Array> {
  if (frames.length === 0) return;
  if (!(await ffmpegDecodes())) {
    throw new MissingFeatureError(
      'Cannot compare pictures of video: there is no ffmpeg on the PATH that decodes AV1 and H.264. Install one.',
    );
  }
  const chosen = runs(frames)
    .map(([first, last]) => `between(n\\,${first}\\,${last})`)
    .join('+');
  const child = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-i', file, '-vf', `select=${chosen}`],
      ...['-fps_mode', 'passthrough', '-frames:v', String(frames.length)],
      ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = once(child, 'close');
  const bytes = width * height * 3;
  let received = Buffer.alloc(0);
  let pictures = 0;
  try {
    for await (const part of child.stdout as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, part]);
      for (; received.length >= bytes; received = received.subarray(bytes)) {
        pictures++;
        yield new Uint8Array(received.subarray(0, bytes));
      }
    }
    await ended;
  } finally {
    child.kill();
  }
  if (pictures === frames.length) return;
  throw new DatasetError(
    `Cannot read frame ${frames[pictures]} of video "${file}": ${said.trim() || 'it has fewer frames'}.`,
  );
}

/** Ascending numbers as first and last of each row of neighbours. */
function runs(numbers: readonly number[]): [first: number, last: number][] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const run = found.at(-1);
    if (run && number === run[1] + 1) run[1] = number;
    else found.push([number, number]);
  }
  return found;
}
