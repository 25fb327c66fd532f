import type { Check, Judgement } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { bandPower } from '../spectrum.ts';
import { ArmBlocks, type ArmBlocksOptions } from './arm-blocks.ts';
import { type Block, evenly } from './blocks.ts';
import { isJointState } from './joints.ts';

/** What trembles, from where on, and how that is said. */
interface Tremor extends Required<ArmBlocksOptions> {
  readonly channel?: string;
  /** Slower changes are what the task asks for. */
  readonly fromHz: number;
  /** What its spectrum is taken of. */
  readonly signal: (even: Float64Array, rateHz: number) => Float64Array;
  readonly still: string;
  readonly what: string;
}

const TREMORS: readonly Tremor[] = [
  {
    ...{ of: 'positions', leastRange: 0.02, fromHz: 5 },
    signal: (position, rateHz) =>
      Float64Array.from(
        { length: position.length - 1 },
        (_, i) => (position[i + 1]! - position[i]!) * rateHz,
      ),
    still: 'the arm did not move',
    what: 'motion is faster than 5 Hz',
  },
  {
    // Noise of torque sensors and of motor currents is less; what varies less was not asked for anything.
    ...{ channel: 'effort', of: 'efforts', leastRange: 0.5, fromHz: 20 },
    signal: (effort) => effort,
    still: 'its efforts hardly vary',
    what: 'effort is faster than 20 Hz',
  },
];

/** Whether the arm shakes. */
export const TREMOR: Check = {
  id: 'K10',
  title: 'share of fast tremor',
  claim: 'RISK',
  runs: 'take',
  unit: 'share',
  limits: { warn: 0.1, fail: 0.3, validated: true },
  explain: {
    cause: 'Tremor of the hand, gains too high, backlash, or commands that come in steps.',
    formula:
      'Power of the joint velocities at 5 Hz and above / all of it, over the whole episode; of the efforts, where there ' +
      'are any that vary by over 0.5 N·m or N, at 20 Hz and above.',
    remedy: 'Lower the gains or smooth the commands; look at T16 for a loop that stutters.',
    example: 'joints: 38 % of the motion is faster than 5 Hz',
    source: 'arXiv 2605.01544; Kalanos',
  },
  watch: perStream(isJointState, () => {
    const shares = TREMORS.map((tremor) => new BandShare(tremor));
    return {
      observe(observation) {
        for (const { blocks } of shares) blocks.add(observation);
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        for (const share of shares) if (share.blocks.hasArm) yield share.judgement();
      },
    };
  }),
};

/** Power of one signal of all joints, and the part of it that is too fast. */
class BandShare {
  readonly blocks: ArmBlocks;
  readonly #tremor: Tremor;
  #band = 0;
  #total = 0;

  constructor(tremor: Tremor) {
    this.#tremor = tremor;
    this.blocks = new ArmBlocks((block) => this.#add(block), tremor);
  }

  judgement(): Judgement {
    this.blocks.flush();
    const { channel, still, what } = this.#tremor;
    const place = { ...(channel !== undefined && { channel }) };
    if (!this.blocks.hasMoved) return { ...place, status: 'not_assessed', reason: still };
    if (this.#total === 0)
      return { ...place, status: 'not_assessed', reason: 'its rate is too low to show a tremor' };
    const value = this.#band / this.#total;
    return { ...place, value, reason: `${(value * 100).toFixed(0)} % of the ${what}` };
  }

  #add({ columns, secs, periodSecs }: Block): void {
    const { fromHz, signal } = this.#tremor;
    const rateHz = 1 / periodSecs;
    if (rateHz < 2 * fromHz) return;
    for (const column of columns) {
      const values = signal(evenly(secs, column, periodSecs), rateHz);
      const { band, total } = bandPower(values, rateHz, [fromHz, Number.POSITIVE_INFINITY]);
      // Lengths differ: power is per sample.
      this.#band += band / values.length;
      this.#total += total / values.length;
    }
  }
}
