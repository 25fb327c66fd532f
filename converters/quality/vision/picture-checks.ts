import type { Check } from '../check.ts';
import type { Picture } from '../observation.ts';
import { perStream } from '../per-stream.ts';
import { median } from '../robust.ts';
import { jpegQuality } from './jpeg-quality.ts';
import { deviationOf, shareBetween, sharpness } from './luma-measures.ts';
import { isBright, isCamera, lumaOf, ofPictures } from './per-camera.ts';

const percent = (share: number) => `${(share * 100).toFixed(0)} %`;

/** Sharpness of the pictures of an episode, thinned to this many at most. */
const MOST_SHARPNESS = 2048;

/** What single pictures look like: light, sharpness, contrast, compression, depth. */
export const PICTURE_CHECKS: readonly Check[] = [
  {
    id: 'V05',
    title: 'exposure clipping',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.25, fail: 0.6, validated: false },
    explain: {
      cause:
        'Exposure is fixed for another light, a lamp or a window is in the picture, or the lens is covered.',
      formula: 'Share of pixels with Y ≤ 5 or Y ≥ 250; the largest that lasts over 3 looks.',
      remedy: 'Set exposure for the scene’s light and lock it; turn the camera away from lamps and windows.',
      example: 'front: 64 % of the picture is black or white',
      source: 'Kalanos and lerobot-lint use the mean; limits of our own',
    },
    watch: ofPictures({
      measure: (picture) =>
        isBright(picture)
          ? shareBetween(picture.luma, 0, 5) + shareBetween(picture.luma, 250, 255)
          : undefined,
      bad: 'above',
      say: (share) => `${percent(share)} of the picture is black or white`,
    }),
  },
  {
    id: 'V06',
    title: 'blur',
    claim: 'RISK',
    runs: 'take',
    unit: 'ratio',
    limits: { warn: 0.5, fail: 0.25, bad: 'below', validated: false },
    explain: {
      cause:
        'The lens is out of focus, dirty or fogged, autofocus hunts, or the exposure is too long for the motion.',
      formula:
        'Variance of the Laplacian at 320 pixels’ width over the camera’s reference: that of the rig’s calibration, else ' +
        'the median of this episode; the smallest that lasts over 3 looks.',
      remedy: 'Clean the lens, fix the focus, shorten the exposure and add light.',
      example: 'wrist: sharpness is 0.18 of what this camera had at calibration',
      source:
        'score_lerobot_episodes and Kalanos use absolute values, which differ by scene; limits of our own',
    },
    watch: perStream(isCamera, (stream, subject) => {
      const seen: number[] = [];
      let step = 1;
      let looks = 0;
      const measured = ofPictures({
        measure(picture) {
          if (!isBright(picture)) return undefined;
          const value = sharpness(lumaOf(picture));
          if (looks++ % step === 0) seen.push(value);
          if (seen.length === MOST_SHARPNESS) {
            for (let i = 0; i < MOST_SHARPNESS / 2; i++) seen[i] = seen[2 * i]!;
            seen.length = MOST_SHARPNESS / 2;
            step *= 2;
          }
          return value;
        },
        bad: 'below',
        say: (ratio) => `sharpness is ${ratio.toFixed(2)} of its reference`,
        relate(worst) {
          const calibrated = subject.calibration?.cameras[stream.name]?.sharpness;
          const reference = calibrated ?? median(seen);
          return {
            value: reference > 0 ? worst / reference : 1,
            evidence: {
              reference: calibrated === undefined ? 'median of the episode' : 'calibration',
              sharpness: worst,
            },
          };
        },
      })(subject);
      return { observe: (observation) => measured.observe!(observation), findings: measured.findings };
    }),
  },
  {
    id: 'V07',
    title: 'low contrast',
    claim: 'RISK',
    runs: 'take',
    unit: '',
    limits: { warn: 20, fail: 8, bad: 'below', validated: true },
    explain: {
      cause: 'Fog, glare or a covered lens; a camera that looks at a blank wall.',
      formula: 'Standard deviation of Y (0 to 255); the smallest that lasts over 3 looks.',
      remedy: 'Clean the lens; look at the picture and whether it shows what the task needs.',
      example: 'front: brightness deviates by 6.1 of 255',
      source: 'score_lerobot_episodes (20)',
    },
    watch: ofPictures({
      measure: (picture) => (isBright(picture) ? deviationOf(picture.luma) : undefined),
      bad: 'below',
      say: (deviation) => `brightness deviates by ${deviation.toFixed(1)} of 255`,
    }),
  },
  {
    id: 'V12',
    title: 'over-compression',
    claim: 'RISK',
    runs: 'take',
    unit: 'bits per pixel',
    limits: { warn: 0.08, fail: 0.03, bad: 'below', validated: false },
    explain: {
      cause: 'The driver’s JPEG quality or the video’s bit rate is set too low.',
      formula:
        'Bytes · 8 / pixels over all pictures of a compressed stream; of JPEG also its quality by its ' +
        'tables: below 30 it warns, below 10 it fails.',
      remedy: 'Raise the quality: 85 or more for pictures that a policy learns from.',
      example: 'wrist: 0.02 bits per pixel, JPEG quality 12',
      source: 'limits of our own',
    },
    watch: perStream(isCamera, () => {
      let [bytes, pictures] = [0, 0];
      let look: Picture | undefined;
      let quality: number | undefined;
      return {
        observe({ bytes: length, picture, value }) {
          bytes += length;
          pictures++;
          if (!picture) return;
          look = picture;
          if (value?.data instanceof Uint8Array) quality = jpegQuality(value.data) ?? quality;
        },
        *findings(_now, facts) {
          if (!facts || !look) return;
          if (!/^(jpe?g|webp|avif)$/.test(look.encoding)) {
            return yield { status: 'not_assessed', reason: `"${look.encoding}" loses nothing` };
          }
          const value = (bytes * 8) / (pictures * look.width * look.height);
          const evidence = { pictures, ...(quality !== undefined && { jpegQuality: quality }) };
          const beside = quality === undefined ? '' : `, JPEG quality ${quality}`;
          const byQuality = quality === undefined ? undefined : statusOf(quality);
          yield {
            ...(byQuality && { status: byQuality }),
            value,
            evidence,
            reason: `${value.toFixed(2)} bits per pixel${beside}`,
          };
        },
      };
    }),
  },
  {
    id: 'V13',
    title: 'depth holes',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.4, fail: 0.7, validated: false },
    explain: {
      cause: 'Shiny, black or transparent surfaces, sunlight, or things nearer than the camera can measure.',
      formula: 'Share of pixels that are 0 or NaN; the largest that lasts over 3 looks.',
      remedy: 'Move the camera back, shade the sun, switch the projector on, cover shiny surfaces.',
      example: 'depth: 81 % of the pixels hold no distance',
      source: 'limits of our own',
    },
    watch: ofPictures({
      measure: ({ depth }) =>
        depth && depth.reduce((n, metres) => n + (metres > 0 ? 0 : 1), 0) / depth.length,
      bad: 'above',
      say: (share) => `${percent(share)} of the pixels hold no distance`,
    }),
  },
  {
    id: 'V14',
    title: 'depth unit',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'm',
    limits: { fail: 0.05, bad: 'below', validated: false },
    explain: {
      cause: 'Millimetres are sent as 32FC1, or metres as 16UC1; REP 118 says the opposite.',
      formula: 'Median of all distances after the scale that the encoding declares; fails above 20 m too.',
      remedy: 'Set the driver’s depth unit to what REP 118 says for its encoding.',
      example: 'depth: the median distance is 840.00 m',
      source: 'REP 118; limits of our own',
    },
    watch: perStream(isCamera, () => {
      const medians: number[] = [];
      return {
        observe({ picture }) {
          if (!picture?.depth || medians.length >= MOST_SHARPNESS) return;
          const metres = picture.depth.filter((value) => value > 0);
          if (metres.length > 0) medians.push(median(metres));
        },
        *findings(_now, facts) {
          if (!facts || medians.length === 0) return;
          const value = median(medians);
          const isPlausible = value >= 0.05 && value <= 20;
          yield {
            status: isPlausible ? 'pass' : 'fail',
            value,
            limits: value > 20 ? { fail: 20 } : {},
            evidence: { looks: medians.length },
            reason: `the median distance is ${value.toFixed(2)} m`,
          };
        },
      };
    }),
  },
];

/** Bits alone do not tell: at quality 1 a JPEG still has a fifth of a bit per pixel. */
function statusOf(jpegQuality: number): 'warn' | 'fail' | undefined {
  if (jpegQuality < 10) return 'fail';
  return jpegQuality < 30 ? 'warn' : undefined;
}
