import type { Contract, ImageFeature } from '../schemas/contract.ts';
import type { ManifestVideo } from '../schemas/dataset-manifest.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { episodeFrames, type FramesOptions } from './episode-frames.ts';
import type { ImageValue } from './frame.ts';
import { imageFeatures } from './frame-columns.ts';
import { isVideo, type VideoCodec } from './video-packets.ts';
import type { VideoPicture } from './video-stream.ts';
import type { CodedFormat } from './video-syntax.ts';

/** What becomes of a camera that was recorded as video, in datasets that hold video. */
export type VideoPlan = CopiedVideo | EncodedVideo;

export interface CopiedVideo {
  readonly isCopied: true;
  readonly codec: VideoCodec;
  readonly format: CodedFormat;
  readonly frames: number;
  /** Pictures from the keyframe that the first frame builds on up to it; a file has to begin with them. */
  readonly lead: number;
}

export interface EncodedVideo {
  readonly isCopied: false;
  /** Why its pictures cannot be taken as they are: "frame 131 shows the picture of frame 130 again". */
  readonly reason: string;
}

/**
 * Looks which cameras of an episode can be taken over without decoding them: a whole walk over its ticks, which
 * decodes nothing. Empty where no camera is video.
 */
export async function surveyVideos(
  file: string,
  contract: Contract,
  { within, labels }: Pick<FramesOptions, 'within' | 'labels'>,
): Promise<ReadonlyMap<string, VideoPlan>> {
  const cameras = imageFeatures(contract).filter(([, { stream }]) => isVideo(contract.streams[stream]!.type));
  const surveys = new Map(cameras.map(([key, feature]) => [key, new CameraSurvey(feature)]));
  if (surveys.values().some((survey) => survey.isOpen)) {
    await using reader = await EpisodeReader.open(file);
    const frames = episodeFrames(reader, contract, {
      ...{ within, labels },
      decodesPictures: false,
      reads: ({ kind }) => kind === 'image',
    });
    for await (const { values } of frames) {
      for (const [key, survey] of surveys) {
        const value = values.get(key);
        if (value?.kind === 'image') survey.add(value);
      }
      if (!surveys.values().some((survey) => survey.isOpen)) break;
    }
  }
  return new Map([...surveys].map(([key, survey]) => [key, survey.plan()]));
}

/** Whether the frames of one camera are the pictures of its video, one by one, as a file may hold them. */
class CameraSurvey {
  readonly #feature: ImageFeature;
  #reason: string | undefined;
  #frames = 0;
  #latest: VideoPicture | undefined;
  #lead = 0;

  constructor(feature: ImageFeature) {
    this.#feature = feature;
    this.#reason = contractReason(feature);
  }

  /** Whether what comes may still matter. */
  get isOpen(): boolean {
    return this.#reason === undefined;
  }

  add({ coded, valid }: ImageValue): void {
    const frame = this.#frames++;
    if (!this.isOpen) return;
    if (!valid || !coded) this.#reason = `frame ${frame} has no picture`;
    else if (!this.#latest) this.#reason = this.#begin(coded);
    else this.#reason = nextReason(coded, this.#latest, frame);
    this.#latest = coded;
  }

  #begin(coded: VideoPicture): string | undefined {
    const [first = coded, ...led] = withLead(coded);
    this.#lead = led.length;
    return led.reduce<string | undefined>(
      (reason, picture) => reason ?? nextReason(picture, picture.previous!, 0),
      beginReason(first, this.#feature),
    );
  }

  plan(): VideoPlan {
    const { codec, format } = this.#latest ?? {};
    if (this.#reason === undefined && codec && format) {
      return { isCopied: true, codec, format, frames: this.#frames, lead: this.#lead };
    }
    return { isCopied: false, reason: this.#reason ?? 'there is no frame' };
  }
}

function contractReason({ video, crop, colorOrder, at }: ImageFeature): string | undefined {
  if (video === 'encode') return 'the contract asks for it';
  if (crop) return 'the contract crops it';
  if (colorOrder !== 'rgb') return 'the contract swaps its colours';
  return at === 'goal' ? 'every frame shows the goal' : undefined;
}

/** What keeps a video from beginning with a picture. */
function beginReason(
  { isReset, showOrder, format }: VideoPicture,
  { width, height }: ImageFeature,
): string | undefined {
  // In one file with other episodes its pictures would be numbered on from theirs.
  if (!isReset) return 'it begins with a keyframe of H.265 that others may precede (CRA), not an IDR';
  if (!format) return 'its parameters are not read';
  if (!format.isPlain) return 'its pictures are not progressive, of 8 bits and 4:2:0';
  if (format.width !== width || format.height !== height) {
    return `its pictures are ${format.width} × ${format.height}, the contract asks for ${width} × ${height}`;
  }
  return showOrder === undefined ? 'the order of its pictures is not read' : undefined;
}

/** What keeps a picture from following another one in a video. */
function nextReason(picture: VideoPicture, before: VideoPicture, frame: number): string | undefined {
  const step = picture.place - before.place;
  if (picture.stream !== before.stream) return `frame ${frame} is of another publisher`;
  if (step === 0) return `frame ${frame} shows the picture of frame ${frame - 1} again`;
  if (step < 0) return `frame ${frame} shows a picture from before that of frame ${frame - 1}`;
  if (step > 1) return `${step - 1} pictures before frame ${frame} are in no frame`;
  if (picture.format !== before.format) return `its parameters change at frame ${frame}`;
  if (picture.showOrder === undefined) return 'the order of its pictures is not read';
  const isReordered = !picture.isReset && picture.showOrder <= (before.showOrder ?? 0);
  return isReordered ? `its pictures are reordered at frame ${frame} (B-frames)` : undefined;
}

/** A picture, and before it those that it builds on, from the keyframe on. */
export function withLead(picture: VideoPicture): readonly VideoPicture[] {
  const led: VideoPicture[] = [];
  for (let each: VideoPicture | undefined = picture; each; each = each.previous) led.push(each);
  return led.reverse();
}

/** What a manifest says of them. */
export function videoRecords(plans: ReadonlyMap<string, VideoPlan>): ManifestVideo[] {
  return [...plans].map(([feature, plan]) =>
    plan.isCopied
      ? { feature, made: 'copied' as const, ...(plan.lead > 0 && { lead: plan.lead }) }
      : { feature, made: 'encoded' as const, reason: plan.reason },
  );
}

const MIN_SAMPLES = 100;
const MAX_SAMPLES = 10_000;

/**
 * Frames of a copied video whose pixels the statistics are made of: as many, and as evenly spread, as LeRobot takes
 * of an episode (`estimate_num_samples`, `sample_indices`).
 */
export function sampledFrames(frames: number): ReadonlySet<number> {
  const count = Math.max(Math.min(frames, MIN_SAMPLES), Math.min(Math.floor(frames ** 0.75), MAX_SAMPLES));
  const step = count > 1 ? (frames - 1) / (count - 1) : 0;
  return new Set(Array.from({ length: count }, (_, i) => Math.round(i * step)));
}
