import { magnitudes, nextPowerOfTwo } from '../spectrum.ts';

/** Of SPARC: frequencies above are no motion of a limb, magnitudes below no part of it. */
const CUT_OFF_HZ = 10;
const CUT_OFF_MAGNITUDE = 0.05;
/** How many doublings the spectrum is interpolated by. */
const PADDING = 4;

/**
 * Spectral arc length of a speed profile: 0 would be perfectly smooth, −1.4 is a minimum-jerk reach, −3 four
 * movements behind each other. Robust against noise and independent of amplitude and duration.
 * Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet 2015.
 */
export function sparc(speed: Float64Array, rateHz: number): number {
  const length = nextPowerOfTwo(speed.length) * 2 ** PADDING;
  const bins = magnitudes(speed, length);
  const peak = bins.reduce((max, value) => Math.max(max, value), 0);
  if (peak === 0) return 0;
  const stepHz = rateHz / length;
  const count = Math.min(bins.length, Math.floor(CUT_OFF_HZ / stepHz) + 1);
  let [first, last] = [-1, -1];
  for (let i = 0; i < count; i++) {
    if (bins[i]! / peak < CUT_OFF_MAGNITUDE) continue;
    if (first < 0) first = i;
    last = i;
  }
  const spanHz = (last - first) * stepHz;
  if (spanHz <= 0) return 0;
  let arc = 0;
  for (let i = first + 1; i <= last; i++) {
    arc += Math.hypot(stepHz / spanHz, (bins[i]! - bins[i - 1]!) / peak);
  }
  return -arc;
}

/**
 * Logarithm of the dimensionless jerk of a speed profile, negative: comparable only at one rate and duration,
 * which is why no verdict rests on it. Same source as {@link sparc}.
 */
export function ldlj(speed: Float64Array, rateHz: number): number {
  const peak = speed.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const step = 1 / rateHz;
  let sum = 0;
  for (let i = 2; i < speed.length; i++) {
    sum += ((speed[i]! - 2 * speed[i - 1]! + speed[i - 2]!) / step ** 2) ** 2;
  }
  const duration = speed.length * step;
  return -Math.log(((duration ** 3 / peak ** 2) * sum) / rateHz);
}

/** Butterworth's two biquad sections of a fourth-order low pass: their quality factors. */
const QUALITY_FACTORS = [1 / (2 * Math.cos(Math.PI / 8)), 1 / (2 * Math.cos((3 * Math.PI) / 8))];

/** Fourth-order Butterworth low pass forwards and backwards, so that nothing is delayed. */
export function lowPass(values: Float64Array, rateHz: number, cutOffHz: number): Float64Array {
  const filtered = values.slice();
  for (const quality of QUALITY_FACTORS) biquad(filtered, cutOffHz / rateHz, quality);
  filtered.reverse();
  for (const quality of QUALITY_FACTORS) biquad(filtered, cutOffHz / rateHz, quality);
  return filtered.reverse();
}

/** One second-order section in place, by the bilinear transform; it begins settled at the first value. */
function biquad(values: Float64Array, cyclesPerSample: number, quality: number): void {
  const k = Math.tan(Math.PI * cyclesPerSample);
  const norm = 1 / (1 + k / quality + k * k);
  const b = k * k * norm;
  const a1 = 2 * (k * k - 1) * norm;
  const a2 = (1 - k / quality + k * k) * norm;
  let [x1, x2, y1, y2] = [values[0]!, values[0]!, values[0]!, values[0]!];
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    const y = b * (x + 2 * x1 + x2) - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    values[i] = y;
  }
}
