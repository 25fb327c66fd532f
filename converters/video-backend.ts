import { MissingFeatureError } from '../schemas/errors.ts';
import type { VideoBackend, VideoBackendName } from './video-encoder.ts';
import { ffmpegBackend, ffmpegWith } from './video-ffmpeg.ts';
import { NODE_AV, nodeAvBackend } from './video-node-av.ts';

/**
 * Asked in this order; the first that exists is used. The package is of one version, so the same pictures give
 * the same file on every machine; it also needs half the time of the encoder in many a system's ffmpeg.
 */
const BACKENDS: Readonly<Record<VideoBackendName, () => Promise<VideoBackend | undefined>>> = {
  'node-av': nodeAvBackend,
  ffmpeg: ffmpegBackend,
};

/**
 * Finds a video encoder: the optional package `node-av` first, then `ffmpeg` on the PATH.
 *
 * @param name of the only one wanted; any if absent.
 * @throws {MissingFeatureError} when there is none.
 */
export async function findVideoBackend(name?: VideoBackendName): Promise<VideoBackend> {
  for (const each of name ? [name] : (Object.keys(BACKENDS) as VideoBackendName[])) {
    const backend = await probe(each);
    if (backend) return backend;
  }
  const wanted = name ? `"${name}"` : 'ffmpeg with libsvtav1 or libx264 on the PATH, nor the package node-av';
  throw new MissingFeatureError(
    `Cannot make video: found no ${wanted}. ` +
      'Install one: "npm install node-av", "apt install ffmpeg" or "brew install ffmpeg".',
  );
}

/** A backend that was found on this machine before, in this process or another: looking for it takes a process. */
export function foundVideoBackend({
  backend,
  encoder,
}: {
  readonly backend: VideoBackendName;
  readonly encoder: VideoBackend['encoder'];
}): VideoBackend {
  return backend === 'node-av' ? NODE_AV : ffmpegWith(encoder);
}

const probed = new Map<string, Promise<VideoBackend | undefined>>();

/** Asks once for each PATH: every answer is a process, and every camera of every episode asks. */
function probe(name: VideoBackendName): Promise<VideoBackend | undefined> {
  const key = `${name} ${process.env.PATH}`;
  const known = probed.get(key) ?? BACKENDS[name]();
  probed.set(key, known);
  return known;
}
