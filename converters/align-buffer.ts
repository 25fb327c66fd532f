import type { Neighbours, Timed } from './align.ts';

/** The part of a stream that the coming ticks can still need, in order of time. */
export class AlignBuffer<S extends Timed & { readonly data: Uint8Array }> {
  readonly #samples: S[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a sample in any order of time. Of samples of the same instant the last one given remains. */
  add(sample: S): void {
    const samples = this.#samples;
    let at = samples.length;
    while (at > 0 && samples[at - 1]!.time > sample.time) at--;
    const same = at > 0 && samples[at - 1]!.time === sample.time;
    const replaced = same ? samples.splice(at - 1, 1, sample)[0] : undefined;
    if (!same) samples.splice(at, 0, sample);
    this.#bytes += sample.data.byteLength - (replaced?.data.byteLength ?? 0);
  }

  /**
   * The samples around a tick. Ticks never decrease: what only earlier ones needed is let go.
   *
   * @param lastTick the tick before, when all samples since then are asked for too.
   */
  neighbours(tick: bigint, lastTick?: bigint): Neighbours<S> {
    const samples = this.#samples;
    let end = 0;
    while (end < samples.length && samples[end]!.time <= tick) end++;
    let kept = Math.max(0, end - 1);
    if (lastTick !== undefined) while (kept > 0 && samples[kept - 1]!.time > lastTick) kept--;
    for (let i = 0; i < kept; i++) this.#bytes -= samples[i]!.data.byteLength;
    if (kept > 0) samples.splice(0, kept);
    const around = { previous: samples[end - kept - 1], next: samples[end - kept] };
    if (lastTick === undefined) return around;
    return { ...around, sinceLast: samples.slice(0, end - kept).filter(({ time }) => time > lastTick) };
  }
}
