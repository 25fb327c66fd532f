import type { Check, Judgement } from '../check.ts';
import type { Observation } from '../observation.ts';
import { perStream } from '../per-stream.ts';
import { median } from '../robust.ts';
import type { CheckedStream } from '../subject.ts';

/** A taxel that reads more than this share of the strongest press has been touched. */
const TOUCH_SHARE = 0.02;

/** What the skin feels. */
export const TACTILE_CHECKS: readonly Check[] = [
  {
    id: 'I14',
    title: 'dead taxels',
    claim: 'RISK',
    runs: 'library',
    unit: 'share',
    limits: { warn: 0.02, fail: 0.1, validated: true },
    explain: {
      cause: 'A broken trace in the skin, or a part of it that the task never touches.',
      formula:
        'Share of taxels that stay the same to the bit while most others show noise, or that never feel 2 % of the ' +
        'strongest press while three neighbours do.',
      remedy: 'Press each taxel with a fingertip and watch; use the skin’s own test.',
      example: 'tactile: 2 of 16 taxels never feel anything: 5, 9',
      source: 'Kalanos',
    },
    watch: perStream(isTactile, () => {
      const skin = new Skin();
      return {
        observe: (observation) => skin.add(observation),
        *findings(_now, facts): Generator<Judgement> {
          if (!facts || skin.samples === 0) return;
          const { dead, asked } = skin.deadTaxels();
          if (asked === 0) return yield { status: 'not_assessed', reason: 'the skin was not pressed' };
          const named = dead.length > 0 ? `: ${dead.join(', ')}` : '';
          const reason = `${dead.length} of ${asked} taxels never feel anything${named}`;
          yield { value: dead.length / asked, evidence: { dead, asked }, reason };
        },
      };
    }),
  },
  {
    id: 'I15',
    title: 'tactile hysteresis',
    claim: 'RISK',
    runs: 'library',
    unit: 'share',
    limits: { warn: 0.05, fail: 0.2, validated: true },
    explain: {
      cause: 'The elastomer has aged, or the skin sticks to what it held.',
      formula:
        'Median over presses of (pressure 0.3 s after the last touch − pressure before the press) / its peak, summed ' +
        'over all taxels.',
      remedy: 'Let the skin rest between takes; replace it.',
      example: 'tactile: keeps 24 % of a press',
      source: 'Kalanos',
    },
    watch: perStream(isTactile, () => {
      const presses = new Presses();
      return {
        observe(observation) {
          const pressures = pressuresOf(observation);
          if (pressures)
            presses.add(
              pressures.reduce((sum, value) => sum + value, 0),
              observation.logTime,
            );
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts || presses.samples === 0) return;
          const { kept } = presses;
          if (kept.length === 0)
            return yield { status: 'not_assessed', reason: 'no press has begun and ended' };
          const value = Math.max(0, median(kept));
          yield {
            value,
            evidence: { presses: kept.length },
            reason: `keeps ${(value * 100).toFixed(0)} % of a press`,
          };
        },
      };
    }),
  },
];

function isTactile({ type }: CheckedStream): boolean {
  return /\/TactileArray$/.test(type);
}

function pressuresOf({ value }: Observation): Float32Array | undefined {
  return value?.pressure instanceof Float32Array ? value.pressure : undefined;
}

/** The strongest that each taxel ever felt, and how often it changes. */
class Skin {
  samples = 0;
  #columns = 1;
  #peak = new Float64Array(0);
  #last = new Float32Array(0);
  #changes = new Uint32Array(0);

  add(observation: Observation): void {
    const pressures = pressuresOf(observation);
    if (!pressures) return;
    if (this.#peak.length !== pressures.length) {
      this.#peak = new Float64Array(pressures.length);
      this.#changes = new Uint32Array(pressures.length);
      this.#last = pressures.slice();
    }
    this.samples++;
    const { cols } = observation.value ?? {};
    if (typeof cols === 'number' && cols > 0) this.#columns = cols;
    for (const [i, pressure] of pressures.entries()) {
      this.#peak[i] = Math.max(this.#peak[i]!, pressure);
      if (pressure !== this.#last[i]) this.#changes[i]!++;
      this.#last[i] = pressure;
    }
  }

  /** Which taxels could be asked about, and which of them are dead. */
  deadTaxels(): { readonly dead: readonly number[]; readonly asked: number } {
    const most = this.#peak.reduce((max, value) => Math.max(max, value), 0);
    if (most < LEAST_PRESSURE * 4) return { dead: [], asked: 0 };
    const taxels = Array.from(this.#peak.keys());
    const noisy = taxels.filter((i) => this.#changes[i]! > NOISY_SHARE * this.samples);
    const isNoisySkin = noisy.length > MOST_NOISY * taxels.length;
    const felt = taxels.map((i) => this.#peak[i]! > Math.max(TOUCH_SHARE * most, LEAST_PRESSURE));
    const isSurrounded = (i: number) => this.#neighbours(i).filter((each) => felt[each]).length >= 3;
    const asked = taxels.filter((i) => isNoisySkin || felt[i] || isSurrounded(i));
    const dead = asked.filter((i) => this.#changes[i] === 0 || (!felt[i] && isSurrounded(i)));
    return { dead, asked: asked.length };
  }

  #neighbours(taxel: number): number[] {
    const [row, column] = [Math.floor(taxel / this.#columns), taxel % this.#columns];
    return [
      ...(column > 0 ? [taxel - 1] : []),
      ...(column < this.#columns - 1 ? [taxel + 1] : []),
      ...(row > 0 ? [taxel - this.#columns] : []),
      ...(taxel + this.#columns < this.#peak.length ? [taxel + this.#columns] : []),
    ];
  }
}

/** A taxel with noise changes in more than this share of the samples; a skin with noise has more such taxels. */
const NOISY_SHARE = 0.1;
const MOST_NOISY = 0.5;
/** Newtons, or whatever the skin counts in: below this nothing was pressed. */
const LEAST_PRESSURE = 0.02;
const SETTLE_NANOS = 300_000_000n;
/** Below this share of its peak a press is over. */
const FALLEN = 0.7;

/** Presses by the sum over the skin: what was there before, the peak, and what stays. */
class Presses {
  samples = 0;
  readonly kept: number[] = [];
  #before = 0;
  #peak = 0;
  #press: { readonly before: number; peak: number; fallenFrom: bigint | undefined } | undefined;

  add(sum: number, time: bigint): void {
    this.samples++;
    this.#peak = Math.max(this.#peak, sum);
    const press = this.#press;
    if (!press) {
      if (this.#before > 0 && sum > this.#before + Math.max(0.2, 0.25 * this.#peak)) {
        this.#press = { before: this.#before, peak: sum, fallenFrom: undefined };
      } else this.#before += (sum - this.#before) * (this.samples < 10 ? 1 / this.samples : 0.05);
      return;
    }
    press.peak = Math.max(press.peak, sum);
    const isLow = sum < press.before + FALLEN * (press.peak - press.before);
    if (!isLow) press.fallenFrom = undefined;
    else press.fallenFrom ??= time;
    if (press.fallenFrom === undefined || time - press.fallenFrom < SETTLE_NANOS) return;
    if (this.kept.length < 4096) this.kept.push((sum - press.before) / (press.peak - press.before));
    this.#press = undefined;
    this.#before = sum;
  }
}
