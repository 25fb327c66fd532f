import { type FileHandle, open, rm } from 'node:fs/promises';
import { box, joinVideos, u32 } from './mp4-joiner.ts';
import { timescaleOf } from './video-encoding.ts';
import { longestGroup, type VideoFacts } from './video-facts.ts';
import type { VideoCodec } from './video-packets.ts';
import type { VideoPicture } from './video-stream.ts';
import type { CopiedVideo } from './video-survey.ts';

/** How mp4 names the codec and its parameters (ISO/IEC 14496-15); all of these lie beside the pictures. */
const ENTRIES = {
  h264: { codec: 'h264', type: 'avc1', configuration: 'avcC' },
  h265: { codec: 'hevc', type: 'hvc1', configuration: 'hvcC' },
} as const satisfies Readonly<
  Record<VideoCodec, { codec: VideoFacts['codec']; type: string; configuration: string }>
>;

/** Coded pictures into an mp4 file, as they are: constant frame rate, the first at 0. */
export class CodedVideoWriter {
  readonly #file: string;
  readonly #video: CopiedVideo;
  readonly #fps: number;
  readonly #samples: FileHandle;
  readonly #sizes: number[] = [];
  readonly #keyframes: number[] = [];

  private constructor(
    file: string,
    {
      video,
      fps,
      samples,
    }: { readonly video: CopiedVideo; readonly fps: number; readonly samples: FileHandle },
  ) {
    this.#file = file;
    this.#video = video;
    this.#fps = fps;
    this.#samples = samples;
  }

  /** @param fps frames per second, a whole number. */
  static async open(
    file: string,
    options: { readonly video: CopiedVideo; readonly fps: number },
  ): Promise<CodedVideoWriter> {
    return new CodedVideoWriter(file, { ...options, samples: await open(samplesOf(file), 'wx') });
  }

  /** To be called for each picture in order, from a keyframe on. */
  async write(picture: VideoPicture): Promise<void> {
    const sample = sampleOf(picture);
    if (picture.isKeyframe) this.#keyframes.push(this.#sizes.length);
    this.#sizes.push(sample.length);
    await this.#samples.writeFile(sample);
  }

  /** Puts the index before the pictures. */
  async finish(): Promise<VideoFacts> {
    await this.#samples.close();
    const { codec, format } = this.#video;
    const frames = this.#sizes.length;
    const timescale = timescaleOf(this.#fps);
    const sizes = Uint32Array.from(this.#sizes);
    const offsets = new Float64Array(frames);
    for (let i = 1; i < frames; i++) offsets[i] = offsets[i - 1]! + sizes[i - 1]!;
    const video = {
      file: samplesOf(this.#file),
      fileBytes: this.#sizes.reduce((sum, size) => sum + size, 0),
      codec: ENTRIES[codec].type,
      ...{ width: format.width, height: format.height, timescale, sizes, offsets },
      sampleEntry: sampleEntry(this.#video),
      durations: new Uint32Array(frames).fill(timescale / this.#fps),
      ...{ startTicks: 0, presentationOrder: true, indexFirst: false },
      keyframes: Uint32Array.from(this.#keyframes),
    };
    await joinVideos([video], this.#file);
    await rm(samplesOf(this.#file));
    return {
      codec: ENTRIES[codec].codec,
      pixelFormat: format.isFullRange ? 'yuvj420p' : 'yuv420p',
      gop: longestGroup(this.#keyframes, frames),
      lead: this.#video.lead,
    };
  }

  /** Lets go of the file, which stays half written. */
  async abort(): Promise<void> {
    await this.#samples.close();
  }
}

/** A coded picture as mp4 holds it: lengths in place of start codes. */
export function sampleOf({ units }: VideoPicture): Buffer {
  return Buffer.concat(units.flatMap((unit) => [u32(unit.length), unit]));
}

function samplesOf(file: string): string {
  return `${file}.samples`;
}

/** A VisualSampleEntry (ISO/IEC 14496-12, 12.1.3.2) with the decoder's configuration. */
function sampleEntry({ codec, format: { width, height, configuration } }: CopiedVideo): Buffer {
  const { type, configuration: name } = ENTRIES[codec];
  const fields = Buffer.alloc(78);
  fields.writeUInt16BE(1, 6);
  fields.writeUInt16BE(width, 24);
  fields.writeUInt16BE(height, 26);
  // 72 dots per inch both ways, one picture per sample, 24 bits, no colour table.
  fields.writeUInt32BE(72 << 16, 28);
  fields.writeUInt32BE(72 << 16, 32);
  fields.writeUInt16BE(1, 40);
  fields.writeUInt16BE(24, 74);
  fields.writeInt16BE(-1, 76);
  return box(type, fields, box(name, configuration));
}
