/** Units that numbers may come in, with the SI unit they stand for and how many of it they are. */
const UNITS: Readonly<Record<string, readonly [si: string, factor: number]>> = {
  rad: ['rad', 1],
  deg: ['rad', Math.PI / 180],
  'rad/s': ['rad/s', 1],
  'deg/s': ['rad/s', Math.PI / 180],
  rpm: ['rad/s', Math.PI / 30],
  m: ['m', 1],
  cm: ['m', 0.01],
  mm: ['m', 0.001],
  'm/s': ['m/s', 1],
  'mm/s': ['m/s', 0.001],
  s: ['s', 1],
  ms: ['s', 0.001],
  N: ['N', 1],
  kN: ['N', 1000],
  kgf: ['N', 9.80665],
  N·m: ['N·m', 1],
  N·mm: ['N·m', 0.001],
  Pa: ['Pa', 1],
  kPa: ['Pa', 1000],
  A: ['A', 1],
  mA: ['A', 0.001],
};

export const UNIT_NAMES: readonly string[] = Object.keys(UNITS);

/** What a number in one unit is multiplied by to be in another; undefined where they do not measure the same. */
export function unitFactor(from: string, to: string): number | undefined {
  const [source, target] = [UNITS[from], UNITS[to]];
  return source && target && source[0] === target[0] ? source[1] / target[1] : undefined;
}
