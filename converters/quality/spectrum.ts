/**
 * Discrete Fourier transform in place, radix 2; the length of a series must be a power of two.
 *
 * @param lanes interleaved series that are transformed side by side: the columns of a matrix by its width.
 */
export function fft(re: Float64Array, im: Float64Array, lanes = 1): void {
  const n = re.length / lanes;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    for (let a = i * lanes, b = j * lanes, end = a + lanes; a < end; a++, b++) {
      const [x, y] = [re[a]!, im[a]!];
      re[a] = re[b]!;
      im[a] = im[b]!;
      re[b] = x;
      im[b] = y;
    }
  }
  const turns = turnsOf(n);
  for (let size = 2; size <= n; size <<= 1) {
    const half = size >> 1;
    const stride = n / size;
    const reach = half * lanes;
    for (let k = 0; k < half; k++) {
      const cos = turns.cos[k * stride]!;
      const sin = turns.sin[k * stride]!;
      for (let first = k; first < n; first += size) {
        for (let a = first * lanes, end = a + lanes; a < end; a++) {
          const b = a + reach;
          const x = re[b]! * cos - im[b]! * sin;
          const y = re[b]! * sin + im[b]! * cos;
          re[b] = re[a]! - x;
          im[b] = im[a]! - y;
          re[a] = re[a]! + x;
          im[a] = im[a]! + y;
        }
      }
    }
  }
}

interface Turns {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** By length: pictures are transformed row by row, all of one length. */
const known = new Map<number, Turns>();

function turnsOf(length: number): Turns {
  let turns = known.get(length);
  if (!turns) {
    const angles = Float64Array.from({ length: length / 2 }, (_, k) => (-2 * Math.PI * k) / length);
    turns = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
    known.set(length, turns);
  }
  return turns;
}

export function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, n)));
}

/** Magnitudes of the bins from 0 to half the sampling rate, of values padded with zeros to this length. */
export function magnitudes(values: Float64Array, length: number): Float64Array {
  const [re, im] = [new Float64Array(length), new Float64Array(length)];
  re.set(values);
  fft(re, im);
  return Float64Array.from({ length: length / 2 + 1 }, (_, i) => Math.hypot(re[i]!, im[i]!));
}

/**
 * Power of a signal without its mean, by frequency: what lies in [fromHz, toHz) and the total. A Hann window
 * keeps a slow, strong motion out of the bands above it.
 */
export function bandPower(
  values: Float64Array,
  rateHz: number,
  [fromHz, toHz]: readonly [number, number],
): { readonly band: number; readonly total: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const shaped = values.map((value, i) => (value - mean) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n)));
  const length = nextPowerOfTwo(n);
  const bins = magnitudes(shaped, length);
  let [band, total] = [0, 0];
  for (let i = 1; i < bins.length; i++) {
    const [power, hz] = [bins[i]! ** 2, (i * rateHz) / length];
    total += power;
    if (hz >= fromHz && hz < toHz) band += power;
  }
  return { band, total };
}

/** Amplitude of the wave that has as much power as a signal has in [fromHz, toHz). */
export function bandAmplitude(
  values: Float64Array,
  rateHz: number,
  range: readonly [number, number],
): number {
  const { band, total } = bandPower(values, rateHz, range);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return total > 0 ? Math.sqrt(2 * variance * (band / total)) : 0;
}
