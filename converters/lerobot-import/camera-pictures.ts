import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import { readMp4 } from '../mp4-reader.ts';
import { videoFrames } from '../video-frames.ts';
import type { ForeignEpisode } from './lerobot-dataset.ts';

/** Of libjpeg: what a video of the usual settings has lost already is several times more. */
export const JPEG_QUALITY = 95;

/** The pictures of one camera of a dataset, episode by episode: each of its video files is decoded once. */
export class CameraPictures {
  readonly #directory: string;
  readonly #key: string;
  readonly #episodes: readonly ForeignEpisode[];
  #open: OpenVideo | undefined;

  /** @param episodes those that will be asked for, in this order; some may be left out. */
  constructor(directory: string, key: string, episodes: readonly ForeignEpisode[]) {
    this.#directory = directory;
    this.#key = key;
    this.#episodes = episodes;
  }

  /** @yields a JPEG for each frame. @throws {DatasetError} when the video is too short, or damaged. */
  async *of(episode: ForeignEpisode): AsyncGenerator<Uint8Array> {
    const { file, firstFrame } = episode.video(this.#key);
    if (this.#open?.file !== file) {
      await this.close();
      this.#open = await this.#begin(file);
    }
    const { width, height, frames, pictures } = this.#open;
    const first = frames.indexOf(firstFrame, this.#open.next);
    for (let wanted = first; wanted < first + episode.frames; wanted++) {
      let pixels: Uint8Array | undefined;
      // Frames of an episode that was given up are passed over.
      for (; this.#open.next <= wanted; this.#open.next++) {
        const { value } = await pictures.next();
        pixels = value ?? undefined;
      }
      if (!pixels) throw new DatasetError(`Cannot read frame ${frames[wanted]} of video "${file}".`);
      yield await encodeJpeg({ pixels, width, height }, JPEG_QUALITY);
    }
  }

  async close(): Promise<void> {
    await this.#open?.pictures.return(undefined);
    this.#open = undefined;
  }

  async #begin(file: string): Promise<OpenVideo> {
    const path = join(this.#directory, file);
    const { width, height, sizes } = await readMp4(path);
    const frames = this.#episodes
      .filter((each) => each.video(this.#key).file === file)
      .flatMap((each) => Array.from({ length: each.frames }, (_, i) => each.video(this.#key).firstFrame + i));
    const last = frames.at(-1) ?? 0;
    if (last >= sizes.length) {
      throw new DatasetError(
        `Cannot read frame ${last} of video "${file}": it has ${sizes.length} frames. Is it of this dataset?`,
      );
    }
    return { file, width, height, frames, next: 0, pictures: videoFrames(path, { frames, width, height }) };
  }
}

interface OpenVideo {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** Places in the file of all frames that will be decoded, ascending. */
  readonly frames: readonly number[];
  readonly pictures: AsyncGenerator<Uint8Array, void, undefined>;
  /** Of `frames`, the one that comes next. */
  next: number;
}
