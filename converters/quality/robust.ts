/** Statistics that a few wild values do not move; all ignore nothing: leave NaN out before. */

/** The value below which this share of the values lies, linear between neighbours; NaN of none. */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Median absolute deviation from the median; times 1.4826 the standard deviation of normal noise. */
export function medianDeviation(values: ArrayLike<number>): number {
  const center = median(values);
  return median(Float64Array.from(values, (value) => Math.abs(value - center)));
}

/** Standard deviation of normal noise with this median deviation. */
export const SIGMAS_PER_MAD = 1.4826;

/** The middle of each value and its neighbours to both sides; shorter at both ends. */
export function runningMedian(values: Float64Array, width: number): Float64Array {
  const reach = Math.floor(width / 2);
  return values.map((_, i) => {
    const from = Math.max(0, i - reach);
    return sortedMiddle(values.slice(from, Math.min(values.length, i + reach + 1)));
  });
}

/** By insertion: the windows are short. */
function sortedMiddle(window: Float64Array): number {
  for (let i = 1; i < window.length; i++) {
    const value = window[i]!;
    let at = i - 1;
    for (; at >= 0 && window[at]! > value; at--) window[at + 1] = window[at]!;
    window[at + 1] = value;
  }
  const half = window.length >> 1;
  return window.length % 2 ? window[half]! : (window[half - 1]! + window[half]!) / 2;
}

/** Rank correlation; equal values share the mean of their ranks. NaN where one side is constant. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (x.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - mean) * (y[i]! - mean);
    xx += (x[i]! - mean) ** 2;
    yy += (y[i]! - mean) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = new Array<number>(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && order[end]!.value === order[i]!.value) end++;
    for (let k = i; k < end; k++) result[order[k]!.index] = (i + 1 + end) / 2;
    i = end;
  }
  return result;
}
