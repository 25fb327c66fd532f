import type { MessageValue } from '../schemas/message.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { nalUnits } from './coded-bits.ts';
import { H264Syntax } from './h264-syntax.ts';
import { H265Syntax } from './h265-syntax.ts';
import { isCodec, type VideoCodec } from './video-packets.ts';
import type { CodedFormat, PictureHeaders, VideoSyntax } from './video-syntax.ts';

/** A picture of video as its message holds it, not decoded. */
export interface VideoPicture extends Pick<PictureHeaders, 'isKeyframe' | 'isReset' | 'showOrder' | 'units'> {
  readonly codec: VideoCodec | undefined;
  /** The stream that it is of, and its place there, as received, from 0. */
  readonly stream: VideoStream;
  readonly place: number;
  /** The one before it, which it builds on; undefined for a keyframe. */
  readonly previous: VideoPicture | undefined;
  /** The same object for all pictures between which no parameter changed; undefined where it is not read. */
  readonly format: CodedFormat | undefined;
}

/** Why the picture of a message cannot be shown. */
export type Unusable =
  /** It builds on pictures before the first keyframe. */
  | 'unbegun'
  /** One was lost of those that it builds on, since the last keyframe. */
  | 'broken'
  /** It holds parameters only. */
  | 'empty';

const SYNTAXES: Readonly<Record<VideoCodec, new () => VideoSyntax>> = { h264: H264Syntax, h265: H265Syntax };

/** Where headers do not tell of losses, a silence of this many periods does. */
const SILENT_PERIODS = 1.5;

/**
 * The pictures of one publisher of video, in the order received. A lost one shows in the headers of the next;
 * where these do not tell, or so many are lost that their numbers have come round, a silence does.
 */
export class VideoStream {
  readonly #syntaxes = new Map<VideoCodec, VideoSyntax>();
  #pictures = 0;
  #firstTime: bigint | undefined;
  #lastTime = 0n;
  #state: Unusable | undefined = 'unbegun';
  #latest: VideoPicture | undefined;

  /** @param time of the message, on any clock. */
  take(value: MessageValue, time: bigint): VideoPicture | Unusable {
    const codec = isCodec(value.format) ? value.format : undefined;
    const { data } = value;
    const isRead = codec && data instanceof Uint8Array;
    const headers = isRead ? this.#syntaxOf(codec).read(nalUnits(data)) : UNKNOWN;
    if (!headers) return 'empty';
    const { isKeyframe, isReset, showOrder, units, format } = headers;
    const wasSilent = this.#wasSilent(time, headers);
    this.#firstTime ??= time;
    this.#lastTime = time;
    const place = this.#pictures++;
    if (isKeyframe) this.#state = undefined;
    else if (!this.#state && (headers.isConnected === false || wasSilent)) this.#state = 'broken';
    if (this.#state) return this.#state;
    const previous = isKeyframe ? undefined : this.#latest;
    const picture = { codec, stream: this, place, previous, isKeyframe, isReset, showOrder, units, format };
    this.#latest = picture;
    return picture;
  }

  #syntaxOf(codec: VideoCodec): VideoSyntax {
    const syntax = this.#syntaxes.get(codec) ?? new SYNTAXES[codec]();
    this.#syntaxes.set(codec, syntax);
    return syntax;
  }

  /** Whether there was time for a loss that the headers cannot show. */
  #wasSilent(time: bigint, { isConnected, countedPictures }: PictureHeaders): boolean {
    if (this.#firstTime === undefined || this.#pictures < 2 || isConnected === false) return false;
    const periodSecs = nanosToSecs(this.#lastTime - this.#firstTime) / (this.#pictures - 1);
    const periods = isConnected ? countedPictures! - 0.5 : SILENT_PERIODS;
    // Where stamps stand still or step back there is no period.
    return periodSecs > 0 && nanosToSecs(time - this.#lastTime) > periods * periodSecs;
  }
}

/** Of a message that is not of a known form: whoever decodes it says so. */
const UNKNOWN: PictureHeaders = {
  ...{ isKeyframe: true, isReset: true, isConnected: true },
  ...{ showOrder: undefined, countedPictures: Number.POSITIVE_INFINITY, format: undefined, units: [] },
};
