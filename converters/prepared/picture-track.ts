import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ImageFeature, SampleSettings } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import { CodedVideoWriter } from '../coded-video.ts';
import type { ImageValue } from '../frame.ts';
import { readMp4 } from '../mp4-reader.ts';
import { foundVideoBackend } from '../video-backend.ts';
import { VideoEncoder } from '../video-encoder.ts';
import { encodedFacts, type VideoFacts } from '../video-facts.ts';
import { type CopiedVideo, sampledFrames, type VideoPlan, withLead } from '../video-survey.ts';
import { copies, isObserved, type PictureForm } from './picture-form.ts';
import { PictureLevels } from './picture-levels.ts';
import { packBytes } from './pixel-codec.ts';

/** What is known of the pictures of one feature in one form, once they are all written. */
export interface TrackRecord {
  readonly key: string;
  /** Name of the form. */
  readonly form: string;
  /** Where they lie, in the episode's folder. */
  readonly file: string;
  readonly bytes: number;
  /** Where the picture of each frame begins and how long it is; absent for video. */
  readonly offsets?: Float64Array;
  readonly sizes?: Uint32Array;
  /** Of the valid pictures: the account of their pixels; with video only. */
  readonly levels?: { readonly counts: Float64Array; readonly frames: number };
  /** With video only. */
  readonly facts?: VideoFacts;
}

export interface PictureTrack {
  /** Takes the picture of the next frame; resolves when there is room for another. */
  add(value: ImageValue): Promise<PictureUse>;
  finish(): Promise<Pick<TrackRecord, 'bytes' | 'offsets' | 'sizes' | 'levels' | 'facts'>>;
  /** Lets go of the file or the encoder's process. */
  abort(): Promise<void>;
}

/** What a track does with a picture that it took. */
export interface PictureUse {
  /** Resolves when its pixels are not looked at any more. */
  readonly done: Promise<unknown>;
}

const NO_USE: PictureUse = { done: Promise.resolve() };

export interface TrackOptions {
  readonly file: string;
  readonly key: string;
  readonly feature: ImageFeature;
  readonly samples: SampleSettings;
  /** Cores that an encoder keeps busy. @default all */
  readonly threads?: number | undefined;
  /** What becomes of it as video, where it was recorded as such. */
  readonly plan?: VideoPlan | undefined;
}

export async function openTrack(form: PictureForm, options: TrackOptions): Promise<PictureTrack> {
  const { width, height } = options.feature;
  switch (form.kind) {
    case 'jpeg': {
      const isWanted = (index: number) => form.frames === 'all' || isObserved(index, options.samples);
      const encode = (pixels: Uint8Array) => encodeJpeg({ pixels, width, height }, form.quality);
      return new EncodedTrack(await open(options.file, 'wx'), { encode, isWanted });
    }
    case 'pixels':
      return new EncodedTrack(await open(options.file, 'wx'), { encode: packBytes, isWanted: () => true });
    case 'video': {
      const fps = options.samples.tickRateHz;
      if (copies(form, options.plan)) return await CopiedTrack.open(options.file, options.plan, fps);
      const settings = { width, height, fps, ...(options.threads && { threads: options.threads }) };
      return new VideoTrack(options, new VideoEncoder(foundVideoBackend(form), options.file, settings));
    }
    default:
      throw form satisfies never;
  }
}

/** Pictures that are compressed at the same time; sharp and zlib use libuv's four threads. */
const IN_FLIGHT = 4;

interface Encoding {
  readonly encode: (pixels: Uint8Array) => Promise<Uint8Array>;
  readonly isWanted: (frame: number) => boolean;
}

/** Pictures one after the other in a file, each compressed by itself. One that is shown again is stored once. */
class EncodedTrack implements PictureTrack {
  readonly #handle: FileHandle;
  readonly #encoding: Encoding;
  readonly #offsets: number[] = [];
  readonly #sizes: number[] = [];
  #waiting: { readonly frame: number; readonly picture: Promise<Uint8Array> }[] = [];
  /** The picture of the latest wanted frame, and that frame. */
  #latest: { readonly pixels: Uint8Array; readonly frame: number } | undefined;
  /** Frames that show the picture of an earlier one, and which. */
  readonly #repeated: [frame: number, of: number][] = [];
  #frames = 0;
  #bytes = 0;

  constructor(handle: FileHandle, encoding: Encoding) {
    this.#handle = handle;
    this.#encoding = encoding;
  }

  async add({ pixels }: ImageValue): Promise<PictureUse> {
    const frame = this.#frames++;
    this.#offsets.push(0);
    this.#sizes.push(0);
    if (!this.#encoding.isWanted(frame)) return NO_USE;
    if (this.#latest?.pixels === pixels) {
      this.#repeated.push([frame, this.#latest.frame]);
      return NO_USE;
    }
    const picture = this.#encoding.encode(pixels);
    picture.catch(() => {}); // reported where it is awaited
    this.#latest = { pixels, frame };
    this.#waiting.push({ frame, picture });
    if (this.#waiting.length >= IN_FLIGHT) await this.#writeNext();
    return { done: picture };
  }

  async finish() {
    while (this.#waiting.length > 0) await this.#writeNext();
    await this.#handle.close();
    for (const [frame, of] of this.#repeated) {
      this.#offsets[frame] = this.#offsets[of]!;
      this.#sizes[frame] = this.#sizes[of]!;
    }
    return {
      bytes: this.#bytes,
      offsets: Float64Array.from(this.#offsets),
      sizes: Uint32Array.from(this.#sizes),
    };
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#waiting.map(({ picture }) => picture));
    await this.#handle.close();
  }

  async #writeNext(): Promise<void> {
    const { frame, picture } = this.#waiting.shift()!;
    const bytes = await picture;
    await this.#handle.writev([bytes]);
    this.#offsets[frame] = this.#bytes;
    this.#sizes[frame] = bytes.byteLength;
    this.#bytes += bytes.byteLength;
  }
}

/** The pictures of an episode as one video, so that its bytes do not depend on other episodes. */
class VideoTrack implements PictureTrack {
  readonly #options: TrackOptions;
  readonly #encoder: VideoEncoder;
  readonly #levels = new PictureLevels();

  constructor(options: TrackOptions, encoder: VideoEncoder) {
    this.#options = options;
    this.#encoder = encoder;
  }

  async add({ pixels, valid }: ImageValue): Promise<PictureUse> {
    if (valid) this.#levels.addFrame(pixels);
    await this.#encoder.write(pixels);
    return { done: this.#encoder.written };
  }

  async finish() {
    await this.#encoder.finish();
    const { file, key } = this.#options;
    const { sizes, fileBytes } = await readMp4(file);
    if (sizes.length !== this.#encoder.frames) {
      throw new ConvertError(
        `Cannot encode "${key}": the encoder was given ${this.#encoder.frames} frames and wrote ${sizes.length}.`,
      );
    }
    const { counts, frames } = this.#levels;
    return {
      bytes: fileBytes,
      levels: { counts, frames },
      facts: encodedFacts(this.#encoder.backend.encoder),
    };
  }

  abort(): Promise<void> {
    return this.#encoder.abort();
  }
}

/** The pictures of an episode as they were recorded; of some the pixels are counted. */
class CopiedTrack implements PictureTrack {
  readonly #file: string;
  readonly #writer: CodedVideoWriter;
  readonly #sampled: ReadonlySet<number>;
  readonly #levels = new PictureLevels();
  #frames = 0;

  private constructor(file: string, writer: CodedVideoWriter, sampled: ReadonlySet<number>) {
    this.#file = file;
    this.#writer = writer;
    this.#sampled = sampled;
  }

  static async open(file: string, video: CopiedVideo, fps: number): Promise<CopiedTrack> {
    return new CopiedTrack(
      file,
      await CodedVideoWriter.open(file, { video, fps }),
      sampledFrames(video.frames),
    );
  }

  async add({ pixels, valid, coded }: ImageValue): Promise<PictureUse> {
    if (!coded) throw new TypeError(`frame ${this.#frames} of "${this.#file}" has no coded picture`);
    const frame = this.#frames++;
    if (this.#sampled.has(frame) && valid) this.#levels.addFrame(pixels);
    for (const picture of frame === 0 ? withLead(coded) : [coded]) await this.#writer.write(picture);
    return NO_USE;
  }

  async finish() {
    const facts = await this.#writer.finish();
    const { size } = await stat(this.#file);
    const { counts, frames } = this.#levels;
    return { bytes: size, levels: { counts, frames }, facts };
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
