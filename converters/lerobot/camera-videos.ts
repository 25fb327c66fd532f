import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ImageFeature } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { joinVideos } from '../mp4-joiner.ts';
import { type Mp4Video, readMp4 } from '../mp4-reader.ts';
import { type VideoBackend, VideoEncoder } from '../video-encoder.ts';
import { type Place, pathOf, placeOf, VIDEO_PATH } from './layout.ts';

/** The frames of one episode within a video file; half open. */
export interface VideoRange extends Place {
  readonly fromFrame: number;
  readonly toFrame: number;
}

export interface CameraOptions {
  readonly key: string;
  readonly feature: ImageFeature;
  readonly fps: number;
  readonly backend: VideoBackend;
  /** Folder of the dataset. */
  readonly directory: string;
  /** Folder for files that live until they are joined. */
  readonly partsDirectory: string;
  /** A video file that would grow to this many bytes is closed and the next begun. */
  readonly maxBytes: number;
}

/**
 * The videos of one camera. Each episode is encoded by itself, so that its bytes do not depend on its
 * neighbours and the size is known before a file is chosen; files are joined from whole episodes.
 */
export class CameraVideos {
  readonly key: string;
  readonly #options: CameraOptions;
  #encoder: VideoEncoder | undefined;
  /** Episodes of the file that is being filled. */
  #parts: Mp4Video[] = [];
  #episodes = 0;
  #files = 0;

  constructor(options: CameraOptions) {
    this.key = options.key;
    this.#options = options;
  }

  beginEpisode(): void {
    const { backend, feature, fps } = this.#options;
    this.#encoder = new VideoEncoder(backend, this.#partFile(), {
      width: feature.width,
      height: feature.height,
      fps,
    });
  }

  async write(pixels: Uint8Array): Promise<void> {
    await this.#encoder!.write(pixels);
  }

  async endEpisode(): Promise<VideoRange> {
    const encoder = this.#encoder!;
    await encoder.finish();
    const part = await readMp4(this.#partFile());
    if (part.sizes.length !== encoder.frames) {
      throw new ConvertError(
        `Cannot encode "${this.key}": the encoder was given ${encoder.frames} frames and wrote ${part.sizes.length}.`,
      );
    }
    this.#encoder = undefined;
    this.#episodes++;
    const bytes = this.#parts.reduce((sum, { fileBytes }) => sum + fileBytes, part.fileBytes);
    if (this.#parts.length > 0 && bytes >= this.#options.maxBytes) await this.#closeFile();
    const fromFrame = this.#parts.reduce((sum, { sizes }) => sum + sizes.length, 0);
    this.#parts.push(part);
    return { ...placeOf(this.#files), fromFrame, toFrame: fromFrame + part.sizes.length };
  }

  async finish(): Promise<void> {
    if (this.#parts.length > 0) await this.#closeFile();
  }

  async abort(): Promise<void> {
    await this.#encoder?.abort();
  }

  async #closeFile(): Promise<void> {
    const file = join(this.#options.directory, pathOf(VIDEO_PATH, placeOf(this.#files), this.key));
    await mkdir(dirname(file), { recursive: true });
    await joinVideos(this.#parts, file);
    await Promise.all(this.#parts.map((part) => rm(part.file)));
    this.#parts = [];
    this.#files++;
  }

  #partFile(): string {
    return join(this.#options.partsDirectory, `${this.key}-${this.#episodes}.mp4`);
  }
}
