import type { CatalogueLimits, Check, Judgement } from '../check.ts';
import type { Picture } from '../observation.ts';
import { perStream } from '../per-stream.ts';
import { isPictureType } from '../stream-role.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { Lasting } from './lasting.ts';

/** A value must hold over this many looks, about half a second. */
const LOOKS = 3;

export function isCamera({ type, role }: CheckedStream): boolean {
  return isPictureType(type) && role === 'perception';
}

interface PictureMeasure {
  /** Undefined for a picture that this does not concern, such as depth for brightness. */
  readonly measure: (picture: Picture) => number | undefined;
  readonly bad: NonNullable<CatalogueLimits['bad']>;
  /** Says the worst value in words. */
  readonly say: (value: number) => string;
  /** What the measured value becomes before it is judged, with its own limits if any. */
  readonly relate?: (worst: number, context: { stream: CheckedStream; subject: Subject }) => Relation;
}

type Relation = Pick<Judgement, 'value' | 'status' | 'limits' | 'evidence'>;

/** A check of one number per look: the worst that lasted half a second. */
export function ofPictures({ measure, bad, say, relate }: PictureMeasure): Check['watch'] {
  return perStream(isCamera, (stream, subject) => {
    const lasting = new Lasting(LOOKS, bad);
    return {
      observe({ picture, logTime }) {
        const value = picture && measure(picture);
        if (value !== undefined && Number.isFinite(value)) lasting.add(value, logTime);
      },
      *findings(_now, facts) {
        const { worst, looks } = lasting;
        if (!worst) {
          if (facts && looks > 0) yield { status: 'not_assessed', reason: `only ${looks} pictures` };
          return;
        }
        const relation: Relation = relate?.(worst.value, { stream, subject }) ?? { value: worst.value };
        const { startTime, endTime } = worst;
        const evidence = { ...relation.evidence, looks };
        yield {
          ...relation,
          evidence,
          window: { startTime, endTime },
          reason: say(relation.value ?? worst.value),
        };
      },
    };
  });
}

export function lumaOf({ luma, lumaWidth, lumaHeight }: Picture) {
  return { pixels: luma, width: lumaWidth, height: lumaHeight };
}

export function isBright({ luma }: Picture): boolean {
  return luma.length > 0;
}
