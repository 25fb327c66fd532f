import type { Check } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { CAMERA_TIMEBASE } from './camera-timebase.ts';
import { shareBetween } from './luma-measures.ts';
import { isBright, isCamera } from './per-camera.ts';

/** A pixel below this is black, and a picture of so many of them (ffmpeg blackdetect: 0.10 and 0.98). */
const BLACK_LEVEL = 25;
const BLACK_SHARE = 0.98;

/** Whether pictures come at all, whole and of one kind. */
export const FEED_CHECKS: readonly Check[] = [
  {
    id: 'V01',
    title: 'pictures that do not decode',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'share',
    limits: { fail: 0, validated: true },
    explain: {
      cause:
        'Pictures are cut off on the way: a USB bus at its limit, lost UDP fragments, a codec in trouble.',
      formula: 'Pictures that fail to decode / pictures looked at (4 a second).',
      remedy: 'Give the camera a USB controller of its own, shorten the cable, lower size or rate.',
      example: 'front: 3 of 150 pictures do not decode: premature end of JPEG image',
      source: 'lecop; Hugging Face threads on videos that decode to nothing',
    },
    watch: perStream(isCamera, () => {
      let [looks, faults, why] = [0, 0, ''];
      let window: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
      return {
        observe({ picture, fault, logTime }) {
          if (!picture && fault === undefined) return;
          looks++;
          if (fault === undefined) return;
          if (faults++ === 0) why = fault;
          window = { startTime: window?.startTime ?? logTime, endTime: logTime + 1n };
        },
        *findings(_now, facts) {
          if (looks > 0) {
            const reason = `${faults} of ${looks} pictures do not decode${why && `: ${why.trim()}`}`;
            yield { value: faults / looks, window, evidence: { looks, faults }, reason };
          } else if (facts) yield { status: 'not_assessed', reason: 'no picture could be looked at' };
        },
      };
    }),
  },
  CAMERA_TIMEBASE,
  {
    id: 'V04',
    title: 'black picture',
    claim: 'DEFECT',
    runs: 'live',
    unit: 's',
    limits: { warn: 0.5, fail: 2, validated: true },
    explain: {
      cause: 'A lens cap, a lost sensor behind a living driver, a camera that sleeps.',
      formula: 'Longest time over which 98 % of the pixels have Y < 10 %.',
      remedy: 'Look at the lens; plug the camera in anew; restart its driver.',
      example: 'wrist: black for 3.4 s',
      source: 'ffmpeg blackdetect',
    },
    watch: perStream(isCamera, () => {
      let [looks, longest] = [0, 0];
      let run: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
      let window: typeof run;
      let lastTime: bigint | undefined;
      return {
        observe({ picture, logTime }) {
          if (!picture || !isBright(picture)) return;
          looks++;
          const isBlack = shareBetween(picture.luma, 0, BLACK_LEVEL) >= BLACK_SHARE;
          // A look stands for the time since the one before.
          run = isBlack
            ? { startTime: run?.startTime ?? lastTime ?? logTime, endTime: logTime + 1n }
            : undefined;
          lastTime = logTime;
          const secs = run ? Number(run.endTime - run.startTime) / 1e9 : 0;
          if (secs > longest) [longest, window] = [secs, run];
        },
        *findings() {
          if (looks === 0) return;
          const reason = longest > 0 ? `black for ${longest.toFixed(1)} s` : 'never black';
          yield { value: longest, window, evidence: { looks }, reason };
        },
      };
    }),
  },
  {
    id: 'V11',
    title: 'size or encoding changes',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'changes',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'The driver was restarted with other settings, or fell back to what its bus still carries.',
      formula: 'Pictures whose width, height or encoding differs from the picture before.',
      remedy: 'Fix size and encoding in the driver’s settings; record the take again.',
      example: 'front: 640 × 480 jpeg became 320 × 240 jpeg',
      source: 'lerobot-doctor',
    },
    watch: perStream(isCamera, () => {
      let [looks, changes, last, said] = [0, 0, '', ''];
      let window: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
      return {
        observe({ picture, logTime }) {
          if (!picture) return;
          const kind = `${picture.width} × ${picture.height} ${picture.encoding}`;
          if (looks++ > 0 && kind !== last && changes++ === 0) {
            window = { startTime: logTime, endTime: logTime + 1n };
            said = `${last} became ${kind}`;
          }
          last = kind;
        },
        *findings() {
          if (looks > 0)
            yield { value: changes, window, evidence: { looks }, reason: said || `always ${last}` };
        },
      };
    }),
  },
];
