import type { Check, Judgement } from '../check.ts';
import type { Picture } from '../observation.ts';
import { perStream } from '../per-stream.ts';
import { quantile } from '../robust.ts';
import type { CheckedStream } from '../subject.ts';
import { brightnessTiles, commonChange, type Tiles } from './common-brightness.ts';
import { Lasting } from './lasting.ts';
import { differenceHash, hashDistance } from './luma-measures.ts';
import { isBright, isCamera, lumaOf } from './per-camera.ts';
import { type PictureSpectrum, pictureShift, pictureSpectrum, VIEW } from './picture-shift.ts';

const LOOKS = 3;
/** Between two comparisons of a view with its reference: cameras move seldom, transforms are dear. */
const SHIFT_NANOS = 900_000_000n;
/** A still camera's pictures agree with each other like this, all but a fifth; those of a wrist do not. */
const STATIC_AGREEMENT = 0.15;

/** What a camera looks at, and whether that stays. */
export const VIEW_CHECKS: readonly Check[] = [
  {
    id: 'V08',
    title: 'brightness jumps',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.05, fail: 0.15, validated: false },
    explain: {
      cause: 'Automatic exposure or gain hunts, lamps flicker against the shutter, someone switches a light.',
      formula:
        'By how much three quarters of 6 × 4 tiles become brighter, or darker, from one look to the next, as a share of ' +
        '255; the largest. What moves through the picture brightens some tiles and darkens others. Four looks a second ' +
        'are too few for the frequency of a flicker: over the six seconds that T15 sees whole, it is the amplitude of ' +
        'the same brightness between 1 and 15 Hz, and the larger of the two counts.',
      remedy: 'Lock exposure, gain and white balance; set the anti-flicker frequency of your mains.',
      example: 'front: brightness jumps by 18 %',
      source: 'limits of our own',
    },
    watch: perStream(isCamera, (stream) => {
      let last: Tiles | undefined;
      let [looks, largest] = [0, 0];
      let window: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
      let lastTime = 0n;
      return {
        observe({ picture, logTime }) {
          if (!picture || !isBright(picture)) return;
          const tiles = brightnessTiles(lumaOf(picture));
          const jump = last ? Math.abs(commonChange(last, tiles)) : 0;
          if (jump > largest) [largest, window] = [jump, { startTime: lastTime, endTime: logTime + 1n }];
          [last, lastTime] = [tiles, logTime];
          looks++;
        },
        *findings(_now, facts) {
          if (!facts || looks < 2) return;
          const content = facts.content?.find((each) => each.stream.name === stream.name);
          const evidence = { looks, jump: largest, ...(content && { flicker: content.flicker }) };
          if (content && content.flicker > largest) {
            const reason = `brightness flickers by ${percent(content.flicker)}`;
            yield { value: content.flicker, window: content.window, evidence, reason };
          } else
            yield { value: largest, window, evidence, reason: `brightness jumps by ${percent(largest)}` };
        },
      };
    }),
  },
  {
    id: 'V09',
    title: 'camera moved',
    claim: 'RISK',
    runs: 'take',
    unit: 'px at 640',
    limits: { warn: 3, fail: 8, validated: false },
    explain: {
      cause: 'A still camera was touched, its mount is loose, or it was moved since the rig was calibrated.',
      formula:
        'Shift of the picture by phase correlation against the rig’s calibration, else against the first picture; the ' +
        'largest that lasts over 3 comparisons, in pixels of a picture 640 wide.',
      remedy: 'Bring the camera back to its mark and calibrate the rig again.',
      example: 'front: the view has shifted by 11.2 pixels',
      source: 'practice of calibration; Kuglin and Hines 1975; limits of our own',
    },
    watch: perStream(isCamera, (stream, subject) => {
      const view = subject.calibration?.cameras[stream.name]?.view;
      let from = view ? spectrumOf(view) : undefined;
      const shifts = new Lasting(LOOKS, 'above');
      const agreements: number[] = [];
      let nextTime = 0n;
      return {
        observe({ picture, logTime }) {
          if (!picture || !isBright(picture) || logTime < nextTime) return;
          nextTime = logTime + SHIFT_NANOS;
          const spectrum = pictureSpectrum(lumaOf(picture));
          if (from) {
            const { pixels, agreement } = pictureShift(from, spectrum);
            agreements.push(agreement);
            if (agreement >= STATIC_AGREEMENT) shifts.add(pixels, logTime);
          }
          from ??= spectrum;
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          const { worst } = shifts;
          if (agreements.length < LOOKS) {
            return yield { status: 'not_assessed', reason: 'the episode is too short' };
          }
          const agreement = quantile(agreements, 0.2);
          const reference = view ? 'calibration' : 'first picture';
          const evidence = { looks: agreements.length, agreement, reference };
          if (!worst || agreement < STATIC_AGREEMENT) {
            const reason = 'the camera moves with the robot, or shows something else than its reference';
            return yield { status: 'not_assessed', evidence, reason };
          }
          const { value, startTime, endTime } = worst;
          const reason = `the view has shifted by ${value.toFixed(1)} pixels`;
          yield { value, window: { startTime, endTime }, evidence, reason };
        },
      };
    }),
  },
  {
    id: 'V10',
    title: 'cameras swapped',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'bits',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'USB cameras were found in another order after a restart, and the topics changed places.',
      formula:
        'Distance of the first pictures’ dHash to this camera’s calibration minus that to the nearest other camera’s.',
      remedy: 'Bind each driver to its camera by serial number or USB path; correct the topics.',
      example: 'front: looks like "wrist" by 19 bits',
      source: 'lerobot-lint (webcams that reassign their paths)',
    },
    watch: (subject) => {
      const first = new Map<CheckedStream, Picture | undefined>();
      return {
        wants: isCamera,
        observe({ stream, picture }) {
          if (picture && isBright(picture) && !first.has(stream)) first.set(stream, picture);
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          const cameras = Object.entries(subject.calibration?.cameras ?? {});
          for (const [stream, picture] of first) {
            const own = subject.calibration?.cameras[stream.name];
            if (!picture || !own || cameras.length < 2) {
              const reason = own ? 'there is only one camera' : 'the rig has no calibration of this camera';
              yield { stream, status: 'not_assessed', reason };
              continue;
            }
            const hash = differenceHash(lumaOf(picture));
            const distance = (hashes: readonly string[]) =>
              Math.min(...hashes.map((each) => hashDistance(hash, each)));
            const ownBits = distance(own.hashes);
            const others = cameras.filter(([name]) => name !== stream.name);
            const [other, otherBits] = others
              .map(([name, { hashes }]) => [name, distance(hashes)] as const)
              .reduce((nearest, each) => (each[1] < nearest[1] ? each : nearest));
            const value = ownBits - otherBits;
            const reason = value > 0 ? `looks like "${other}" by ${value} bits` : 'looks as at calibration';
            yield { stream, value, evidence: { ownBits, otherBits, other }, reason };
          }
        },
      };
    },
  },
];

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function spectrumOf(view: string): PictureSpectrum {
  return pictureSpectrum({ pixels: Buffer.from(view, 'base64'), ...VIEW });
}
