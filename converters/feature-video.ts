import type { RgbImage } from '../schemas/image-codec.ts';
import type { Sample } from './align-streams.ts';
import { bytesOf } from './feature-pick.ts';
import { type DecodedVideo, VideoDecoder } from './video-decoder.ts';
import { codecOf } from './video-packets.ts';

/** The pictures of one stream of video, asked for in order of ticks; what lies between them is decoded on the way. */
export class VideoPictures {
  #decoder: VideoDecoder | undefined;
  /** The sample decoded last. */
  #latest: Sample | undefined;
  /** The keyframe that it builds on, and whether something since was damaged. */
  #keyframe: Sample | undefined;
  #isDamaged = false;
  /** Whether any picture ever decoded. */
  #hasDecoded = false;
  #running: Promise<unknown> = Promise.resolve();

  /**
   * @returns undefined for a picture that is damaged, or that builds on a damaged one.
   * @throws {RangeError} when the video does not decode at all.
   */
  decode(sample: Sample): Promise<RgbImage | undefined> {
    return this.#next(sample, true);
  }

  /** Whether {@link decode} would give a picture; most of the time that decoding takes is saved. */
  async isWhole(sample: Sample): Promise<boolean> {
    return (await this.#next(sample, false)) !== undefined;
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#decoder?.close();
  }

  #next(sample: Sample, isWanted: boolean): Promise<RgbImage | undefined> {
    const next = this.#running.then(async () => {
      const { isWhole, picture } = await this.#decode(sample, isWanted);
      if (!picture && !this.#hasDecoded) throw new RangeError('the video does not decode');
      this.#hasDecoded = true;
      this.#isDamaged ||= !isWhole;
      return this.#isDamaged ? undefined : picture;
    });
    this.#running = next.catch(() => {}); // reported to who asked
    return next;
  }

  async #decode(sample: Sample, isWanted: boolean): Promise<DecodedVideo> {
    this.#decoder ??= await VideoDecoder.open(codecOf(sample.value));
    const latest = this.#decoder.needsStart ? undefined : this.#latest;
    const chain: Sample[] = [];
    let each: Sample | undefined = sample;
    for (; each && each !== latest; each = each.previous) chain.push(each);
    this.#latest = sample;
    const isStart = each === undefined;
    const [first, ...rest] = chain.reverse();
    if (isStart && first !== this.#keyframe) {
      this.#keyframe = first;
      this.#isDamaged = false;
    }
    const packets = [
      isStart ? whole(first!) : bytesOf(first!.value),
      ...rest.map(({ value }) => bytesOf(value)),
    ];
    return await this.#decoder.decode(packets, { isStart, isWanted });
  }
}

const START_CODE = Buffer.of(0, 0, 0, 1);

/** A keyframe with the parameters that it is coded by, which may have come in a message before it. */
function whole({ value, picture }: Sample): Uint8Array {
  const sets = picture?.format?.parameterSets ?? [];
  return Buffer.concat([...sets.flatMap((unit) => [START_CODE, unit]), bytesOf(value)]);
}
