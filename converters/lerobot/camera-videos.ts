import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canJoin, joinVideos } from '../mp4-joiner.ts';
import { type Mp4Video, readMp4 } from '../mp4-reader.ts';
import type { VideoFacts } from '../video-facts.ts';
import { type Place, pathOf, placeOf, VIDEO_PATH } from './layout.ts';

/** The frames of one episode within a video file; half open. */
export interface VideoRange extends Place {
  readonly fromFrame: number;
  readonly toFrame: number;
}

export interface CameraOptions {
  readonly key: string;
  /** Folder of the dataset. */
  readonly directory: string;
  /** A video file that would grow to this many bytes is closed and the next begun. */
  readonly maxBytes: number;
}

/**
 * The video files of one camera, joined from whole episodes; each episode was encoded by itself, or is as it was
 * recorded. A file holds one codec with one set of parameters.
 */
export class CameraVideos {
  readonly key: string;
  readonly #options: CameraOptions;
  /** Episodes of the file that is being filled. */
  #parts: Mp4Video[] = [];
  #files = 0;

  constructor(options: CameraOptions) {
    this.key = options.key;
    this.#options = options;
  }

  /** @param file the episode's video, which stays in place until the end. */
  async add(file: string, { lead }: Pick<VideoFacts, 'lead'>): Promise<VideoRange> {
    const part = await readMp4(file);
    const bytes = this.#parts.reduce((sum, { fileBytes }) => sum + fileBytes, part.fileBytes);
    const [first] = this.#parts;
    if (first && (bytes >= this.#options.maxBytes || !canJoin(first, part))) await this.#closeFile();
    const before = this.#parts.reduce((sum, { sizes }) => sum + sizes.length, 0);
    this.#parts.push(part);
    return { ...placeOf(this.#files), fromFrame: before + lead, toFrame: before + part.sizes.length };
  }

  async finish(): Promise<void> {
    if (this.#parts.length > 0) await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const file = join(this.#options.directory, pathOf(VIDEO_PATH, placeOf(this.#files), this.key));
    await mkdir(dirname(file), { recursive: true });
    await joinVideos(this.#parts, file);
    this.#parts = [];
    this.#files++;
  }
}
