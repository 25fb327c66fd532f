import { MissingFeatureError } from '../schemas/errors.ts';
import type { VideoBackend, VideoBackendName } from './video-encoder.ts';
import { ffmpegBackend } from './video-ffmpeg.ts';
import { nodeAvBackend } from './video-node-av.ts';

/** Asked in this order; the first that exists is used. */
const BACKENDS: Readonly<Record<VideoBackendName, () => Promise<VideoBackend | undefined>>> = {
  ffmpeg: ffmpegBackend,
  'node-av': nodeAvBackend,
};

/**
 * Finds a video encoder: `ffmpeg` on the PATH first, then the optional package `node-av`.
 *
 * @param name of the only one wanted; any if absent.
 * @throws {MissingFeatureError} when there is none.
 */
export async function findVideoBackend(name?: VideoBackendName): Promise<VideoBackend> {
  for (const each of name ? [BACKENDS[name]] : Object.values(BACKENDS)) {
    const backend = await each();
    if (backend) return backend;
  }
  const wanted = name ? `"${name}"` : 'ffmpeg with libsvtav1 or libx264 on the PATH, nor the package node-av';
  throw new MissingFeatureError(
    `Cannot make video: found no ${wanted}. ` +
      'Install one: "apt install ffmpeg", "brew install ffmpeg" or "npm install node-av".',
  );
}
