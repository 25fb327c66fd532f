import type { RgbImage } from '../schemas/image-codec.ts';
import type { Sample } from './align-streams.ts';
import { bytesOf } from './feature-pick.ts';
import { VideoDecoder } from './video-decoder.ts';
import { codecOf } from './video-packets.ts';

/** The pictures of one stream of video, asked for in order of ticks; what lies between them is decoded on the way. */
export class VideoPictures {
  #decoder: VideoDecoder | undefined;
  /** The sample decoded last. */
  #latest: Sample | undefined;
  #running: Promise<unknown> = Promise.resolve();

  /** @throws {RangeError} when the video does not decode. */
  decode(sample: Sample): Promise<RgbImage> {
    const picture = this.#running.then(() => this.#decode(sample));
    this.#running = picture.catch(() => {}); // reported to who asked
    return picture;
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#decoder?.close();
  }

  async #decode(sample: Sample): Promise<RgbImage> {
    this.#decoder ??= await VideoDecoder.open(codecOf(sample.value));
    const latest = this.#decoder.needsStart ? undefined : this.#latest;
    const chain: Sample[] = [];
    let each: Sample | undefined = sample;
    for (; each && each !== latest; each = each.previous) chain.push(each);
    this.#latest = sample;
    const packets = chain.reverse().map(({ value }) => bytesOf(value));
    return await this.#decoder.decode(packets, { isStart: each === undefined });
  }
}
