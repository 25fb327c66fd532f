import type { Check, Judgement } from '../check.ts';
import { worstOf } from '../motion/worst.ts';
import { perStream } from '../per-stream.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import { SIGMAS_PER_MAD } from '../robust.ts';
import { ContactDetector } from './contact.ts';
import { EqualExtremes } from './equal-extremes.ts';
import { AXES, isWrench, wrenchOf } from './wrench.ts';

interface Window {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** The force sensor by itself. */
export const FORCE_CHECKS: readonly Check[] = [
  {
    id: 'I01',
    title: 'force saturation',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'samples',
    limits: { warn: 0, fail: 9, validated: false },
    explain: {
      cause: 'A collision or a hard press beyond what the cell can measure; the peak is lost.',
      formula:
        'Samples of a force at 98 % of the full scale that the contract declares; without it, samples equal to the ' +
        'largest or smallest of the axis, 3 and more in a row.',
      remedy: 'Press less; look whether the arm collided; use a sensor of a larger range.',
      example: 'wrench: force.z is saturated in 84 samples',
      source: 'after DQAF; limits of our own',
    },
    watch: perStream(isWrench, (_stream, subject) => {
      const scale = subject.contract?.robot.limits?.forceScaleNewtons;
      const axes = [0, 1, 2].map(() => new EqualExtremes());
      const beyond = [0, 1, 2].map(() => ({ count: 0, window: undefined as Window | undefined }));
      let samples = 0;
      return {
        observe(observation) {
          const wrench = wrenchOf(observation);
          if (!wrench) return;
          samples++;
          const { logTime } = observation;
          axes.forEach((axis, i) => {
            axis.add(wrench[i]!, logTime);
            if (scale === undefined || Math.abs(wrench[i]!) < 0.98 * scale) return;
            const known = beyond[i]!;
            known.count++;
            known.window = { startTime: known.window?.startTime ?? logTime, endTime: logTime + 1n };
          });
        },
        *findings(): Generator<Judgement> {
          if (samples === 0) return;
          const found = axes.map((axis, i) => (scale === undefined ? axis.result() : beyond[i]!));
          const worst = worstOf(
            found.map(({ count, window }, i) => ({ channel: AXES[i], value: count, window })),
          )!;
          const evidence = { samples, fullScale: scale ?? 'undeclared' };
          if (worst.value === 0) yield { value: 0, evidence, reason: 'never saturated' };
          else {
            const reason = `${worst.channel} is saturated in ${worst.value} samples`;
            yield { ...worst, evidence: { ...worst.evidence, ...evidence }, reason };
          }
        },
      };
    }),
  },
  {
    id: 'I05',
    title: 'force noise',
    claim: 'RISK',
    runs: 'take',
    unit: 'times the calibration',
    limits: { warn: 2, fail: 5, validated: false },
    explain: {
      cause: 'A loose cable or shield, a motor’s switching, or a sensor that begins to fail.',
      formula: '1.4826 · median |ΔF| / √2 per axis over that of the rig’s calibration; the noisiest axis.',
      remedy: 'Look at cable and grounding; calibrate the rig again if the sensor was changed.',
      example: 'wrench: force.y is 6.2 times as noisy as at calibration',
      source: 'limits of our own',
    },
    watch: perStream(isWrench, (stream, subject) => {
      const reference = subject.calibration?.wrenches[stream.name]?.noise;
      const steps = AXES.map(() => new QuantileSketch());
      let last: readonly number[] | undefined;
      return {
        observe(observation) {
          const wrench = wrenchOf(observation);
          if (!wrench) return;
          if (last) for (const [i, sketch] of steps.entries()) sketch.add(Math.abs(wrench[i]! - last[i]!));
          last = wrench;
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts || !last) return;
          if (!reference)
            return yield { status: 'not_assessed', reason: 'the rig has no calibration of this sensor' };
          const worst = worstOf(
            steps.flatMap((sketch, i) => {
              const [noise, usual] = [noiseOf(sketch), reference[i] ?? 0];
              return usual > 0 ? { channel: AXES[i], value: noise / usual, evidence: { noise, usual } } : [];
            }),
          );
          if (!worst) return;
          yield {
            ...worst,
            reason: `${worst.channel} is ${worst.value.toFixed(1)} times as noisy as at calibration`,
          };
        },
      };
    }),
  },
  {
    id: 'I06',
    title: 'stuck axis',
    claim: 'DEFECT',
    runs: 'live',
    unit: 's',
    limits: { fail: 1, validated: true },
    explain: {
      cause: 'A strain gauge or its amplifier is dead, or a driver fills an axis with zeros.',
      formula: 'Longest time over which one axis stays the same to the bit while another changes.',
      remedy: 'Load the sensor along that axis and watch its value; look at its error word.',
      example: 'wrench: torque.x stands still for 12.40 s',
      source: 'Kalanos',
    },
    watch: perStream(isWrench, () => {
      const still = AXES.map(() => ({
        from: 0n,
        changes: 0,
        value: Number.NaN,
        longest: undefined as Window | undefined,
      }));
      return {
        observe(observation) {
          const wrench = wrenchOf(observation);
          if (!wrench) return;
          const { logTime } = observation;
          const changing = still.filter(({ value }, i) => value !== wrench[i]).length;
          still.forEach((axis, i) => {
            if (axis.value !== wrench[i]) {
              [axis.from, axis.value, axis.changes] = [logTime, wrench[i]!, 0];
              return;
            }
            if (changing > 0) axis.changes++;
            const known = axis.longest ? axis.longest.endTime - axis.longest.startTime : 0n;
            if (axis.changes > 1 && logTime - axis.from > known)
              axis.longest = { startTime: axis.from, endTime: logTime };
          });
        },
        *findings(): Generator<Judgement> {
          const worst = worstOf(
            still.map(({ longest }, i) => {
              const value = longest ? Number(longest.endTime - longest.startTime) / 1e9 : 0;
              return { channel: AXES[i], value, window: longest };
            }),
          )!;
          yield { ...worst, reason: `${worst.channel} stands still for ${worst.value.toFixed(2)} s` };
        },
      };
    }),
  },
  {
    id: 'I07',
    title: 'force over its limit',
    claim: 'RISK',
    runs: 'live',
    unit: 'N',
    limits: { validated: true },
    explain: {
      cause: 'The operator pressed too hard, or the arm ran into something.',
      formula: 'Largest ‖F − baseline‖, 25 Hz; warns at 80 % of "robot.limits.forceNewtons" of the contract.',
      remedy: 'Look at the moment; leave the take out if something was hit.',
      example: 'wrench: presses with 46.3 N, 40 are allowed',
      source: 'the contract',
    },
    watch: perStream(isWrench, (_stream, subject) => {
      const limit = subject.contract?.robot.limits?.forceNewtons;
      const detector = new ContactDetector(undefined);
      let [most, samples] = [0, 0];
      let window: Window | undefined;
      return {
        observe(observation) {
          const wrench = wrenchOf(observation);
          if (!wrench) return;
          samples++;
          const { logTime } = observation;
          const { residual } = detector.add(wrench, logTime);
          if (residual > most) [most, window] = [residual, { startTime: logTime, endTime: logTime + 1n }];
        },
        *findings(_now, facts): Generator<Judgement> {
          if (samples === 0) return;
          if (limit === undefined) {
            if (facts)
              yield { status: 'not_assessed', reason: 'the contract has no "robot.limits.forceNewtons"' };
            return;
          }
          const limits = { warn: 0.8 * limit, fail: limit, origin: 'contract' as const };
          const reason = `presses with ${most.toFixed(1)} N, ${limit} are allowed`;
          yield { value: most, limits, window, evidence: { samples }, reason };
        },
      };
    }),
  },
  {
    id: 'I08',
    title: 'contact chatter',
    claim: 'RISK',
    runs: 'take',
    unit: 'Hz',
    limits: { warn: 5, fail: 10, validated: false },
    explain: {
      cause: 'The tool bounces on a hard surface, the arm’s gains are too high, or the sensor rings.',
      formula:
        'Most begins and ends of contact in any second. Contact: ‖F − baseline‖ over 2 · R99 of the rig’s calibration ' +
        'until it is under 1.1 · R99, else 3 N and 1.65 N; the baseline stands still in contact.',
      remedy: 'Lower gains or speed of approach; put something soft between.',
      example: 'wrench: contact begins and ends 23 times in a second',
      source: 'limits of our own',
    },
    watch: perStream(isWrench, (stream, subject) => {
      const r99 = subject.calibration?.wrenches[stream.name]?.r99;
      const detector = new ContactDetector(r99);
      const toggles: bigint[] = [];
      let [most, samples, contacts] = [0, 0, 0];
      let window: Window | undefined;
      return {
        observe(observation) {
          const wrench = wrenchOf(observation);
          if (!wrench) return;
          samples++;
          const { logTime } = observation;
          const { toggled, inContact } = detector.add(wrench, logTime);
          if (!toggled) return;
          if (inContact) contacts++;
          toggles.push(logTime);
          while (logTime - toggles[0]! >= 1_000_000_000n) toggles.shift();
          if (toggles.length > most)
            [most, window] = [toggles.length, { startTime: toggles[0]!, endTime: logTime + 1n }];
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts || samples === 0) return;
          const evidence = { contacts, onNewtons: detector.on, calibrated: r99 !== undefined };
          yield {
            value: most,
            window,
            evidence,
            reason: `contact begins and ends ${most} times in a second`,
          };
        },
      };
    }),
  },
];

/** Standard deviation of the noise of single samples, by their differences. */
export function noiseOf(steps: QuantileSketch): number {
  return (SIGMAS_PER_MAD * (steps.quantile(0.5) ?? 0)) / Math.SQRT2;
}
