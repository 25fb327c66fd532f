import type { Check } from '../check.ts';

/** Below, or this little above the next peak, the pictures show something else than this arm. */
const LEAST_AGREEMENT = 0.5;
const LEAST_LEAD = 1.2;
const LEAST_MOTION = 0.2;

/** Whether the pictures show what the joints report at the same instant. */
export const CONTENT_CHECK: Check = {
  id: 'T15',
  title: 'content lag of a camera',
  claim: 'RISK',
  runs: 'library',
  unit: 'ms',
  limits: { validated: false },
  explain: {
    cause:
      'Pictures are stamped when they arrive instead of when they were taken, wait in a driver’s buffer, or come ' +
      'from a computer whose clock is off. Stamps alone cannot show it.',
    formula:
      '|τ| at the peak of corr(Δ√c(t), Δ√v(t − τ)): c change from picture to picture, v joint speed, Δ over five pictures, |τ| ≤ 0.5 s, over the six seconds ' +
      'in which the speed changes most. Assessed where the peak is 0.5 or more, 1.2 times the next one, and the arm ' +
      'moves before 20 % of the pictures. Warns above 1.5 periods of the camera, fails above 4.',
    remedy:
      'Stamp pictures at exposure; shorten the driver’s queue to one picture; synchronise the clocks. Until then give ' +
      'the stream a "clock" in the contract that is true.',
    example: 'front_camera: its pictures show the motion 143 ms late',
    source: 'embodied-sync; the idea of Kalibr; limits of our own',
  },
  watch: () => ({
    *findings(_, facts) {
      if (!facts) return;
      if (!facts.content) {
        const reason = 'it is looked at picture by picture, which "kinescribe check" has the time for';
        return yield { status: 'not_assessed', reason };
      }
      if (facts.content.length === 0) {
        const reason = 'it needs a camera and joints that move at the same time, for two seconds at least';
        return yield { status: 'not_assessed', reason };
      }
      for (const { stream, window, lagSecs, periodSecs, pictures, ...seen } of facts.content) {
        const { agreement, nextAgreement, motion } = seen;
        const [lag, period] = [lagSecs * 1000, periodSecs * 1000];
        const evidence = {
          ...{ pictures, lagMillis: Number(lag.toFixed(1)), motion: Number(motion.toFixed(2)) },
          ...{ agreement: Number(agreement.toFixed(3)), nextAgreement: Number(nextAgreement.toFixed(3)) },
        };
        const isClear = agreement >= LEAST_AGREEMENT && agreement >= LEAST_LEAD * nextAgreement;
        if (motion < LEAST_MOTION || !isClear) {
          const reason = isClear
            ? `the arm moves before ${(motion * 100).toFixed(0)} % of its pictures only`
            : 'what its pictures show does not go with the joints clearly enough';
          yield { stream, window, status: 'not_assessed', evidence, reason };
          continue;
        }
        const limits = { warn: 1.5 * period, fail: 4 * period };
        const reason = `its pictures show the motion ${Math.abs(lag).toFixed(0)} ms ${lag < 0 ? 'early' : 'late'}`;
        yield { stream, window, value: Math.abs(lag), limits, evidence, reason };
      }
    },
  }),
};
