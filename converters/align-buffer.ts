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

  /** The samples around a tick. Ticks never decrease: what only earlier ones needed is let go. */
  neighbours(tick: bigint): Neighbours<S> {
    const samples = this.#samples;
    let passed = 0;
    while (passed + 1 < samples.length && samples[passed + 1]!.time <= tick) {
      this.#bytes -= samples[passed++]!.data.byteLength;
    }
    if (passed > 0) samples.splice(0, passed);
    const [first, second] = samples;
    return first && first.time <= tick
      ? { previous: first, next: second }
      : { previous: undefined, next: first };
  }
}
