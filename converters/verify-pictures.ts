import { createHash } from 'node:crypto';
import type { Contract } from '../schemas/contract.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { sampleOf } from './coded-video.ts';
import type { PictureReading } from './dataset-reading.ts';
import type { EpisodeNumbers } from './episode-numbers.ts';
import type { ImageValue } from './frame.ts';
import { messageText } from './message-text.ts';
import { SeekableFrames } from './seekable-frames.ts';
import { withLead } from './video-survey.ts';

/**
 * Mean distance of a picture that was compressed with loss from its source, in levels of 255, beyond which it is
 * another picture: JPEG of quality 90 and video of crf 30 stay below 8 even on noise.
 */
const MAX_LOSS = 16;
/** By how much a picture may lie closer to another camera's source than to its own: the noise of compression. */
const LOSS_MARGIN = 1;

/** Chooses frames of an episode, the same for the same seed: ascending, each once. */
export function sampleFrames(
  id: string,
  {
    numbers,
    count,
    seed,
  }: { readonly numbers: EpisodeNumbers; readonly count: number; readonly seed: number },
): readonly number[] {
  const draw = (i: number) =>
    createHash('sha256').update(`${seed}/${id}/${i}`).digest().readUInt32LE() % numbers.frames;
  return [...new Set(Array.from({ length: count }, (_, i) => draw(i)))].sort((a, b) => a - b);
}

/** The pictures of some frames of a recording, decoded from where they lie in it. */
export class SourcePictures {
  readonly #file: string;
  readonly #contract: Contract;
  readonly #numbers: EpisodeNumbers;
  /** By frame: pictures by feature. */
  readonly #frames = new Map<number, ReadonlyMap<string, ImageValue>>();

  constructor(file: string, contract: Contract, numbers: EpisodeNumbers) {
    this.#file = file;
    this.#contract = contract;
    this.#numbers = numbers;
  }

  /** Valid pictures by feature; goals are left out. */
  async at(frame: number): Promise<ReadonlyMap<string, ImageValue>> {
    const known = this.#frames.get(frame);
    if (known) return known;
    await using reader = await EpisodeReader.open(this.#file);
    const seekable = await SeekableFrames.plan(reader, this.#contract);
    const tickTime = this.#numbers.tickTimes[frame]!;
    const ending = new AbortController();
    const pictures = new Map<string, ImageValue>();
    const options = { startTime: tickTime + seekable.lagNanos, signal: ending.signal };
    for await (const { tickTime: time, values } of seekable.from(options)) {
      if (time < tickTime) continue;
      for (const [key, value] of time === tickTime ? values : []) {
        if (value.kind === 'image' && value.valid) pictures.set(key, value);
      }
      break;
    }
    ending.abort();
    this.#frames.set(frame, pictures);
    return pictures;
  }
}

/** An episode as its recording has it, as far as its pictures go. */
export interface PictureTruth {
  readonly file: string;
  readonly contract: Contract;
  readonly numbers: EpisodeNumbers;
  readonly sources: SourcePictures;
  /** Cameras whose video the dataset says it copied. */
  readonly copied: ReadonlySet<string>;
}

/** What became of the pictures of a reading. */
export interface ComparedPictures {
  readonly faults: readonly string[];
  readonly compared: number;
  /** Masked ones, and goals: the recording has nothing to hold against them. */
  readonly withoutSource: number;
}

/** Holds stored pictures against those of the recording. */
export async function comparePictures(
  readings: AsyncIterable<PictureReading>,
  truth: PictureTruth,
): Promise<ComparedPictures> {
  const faults: string[] = [];
  let [compared, withoutSource] = [0, 0];
  for await (const reading of readings) {
    const { place, key, frame } = reading;
    const sources = await truth.sources.at(frame);
    const own = sources.get(key);
    if (!own) {
      withoutSource++;
      continue;
    }
    compared++;
    const isCopied = truth.copied.has(key);
    const wrong =
      (isCopied && (await codedDifference(reading, own))) || difference(reading, { own, sources });
    if (!wrong) continue;
    faults.push(`${place}: ${wrong} "${truth.file}" (frame ${frame}${messageText(frame, key, truth)}).`);
  }
  return { faults, compared, withoutSource };
}

/** Of a video that was copied every bit has to be that of the recording, back to the keyframe. */
async function codedDifference({ coded }: PictureReading, own: ImageValue): Promise<string | undefined> {
  const pictures = own.coded ? withLead(own.coded) : [];
  const stored = await coded?.(pictures.length);
  if (stored?.length !== pictures.length) return 'does not go back to the keyframe of';
  const isSame = pictures.every((picture, i) => sampleOf(picture).equals(stored[i]!));
  return isSame ? undefined : 'has other bits than the video of';
}

/** What is wrong with a picture, as the beginning of a sentence. */
function difference(
  { key, pixels, isLossy }: PictureReading,
  {
    own: { pixels: own },
    sources,
  }: { readonly own: ImageValue; readonly sources: ReadonlyMap<string, ImageValue> },
): string | undefined {
  if (own.length !== pixels.length) return `has ${pixels.length} bytes instead of ${own.length} of`;
  const loss = distance(pixels, own);
  if (!isLossy) return loss === 0 ? undefined : `differs by ${loss.toFixed(2)} of 255 levels from`;
  for (const [camera, { pixels: other }] of sources) {
    if (camera === key || other.length !== pixels.length) continue;
    if (distance(pixels, other) + LOSS_MARGIN < loss) return `shows "${camera}" instead of "${key}" of`;
  }
  return loss > MAX_LOSS ? `differs by ${loss.toFixed(1)} of 255 levels from` : undefined;
}

/** Mean absolute difference. */
function distance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
