import { stat } from 'node:fs/promises';

/** Chunks reach the file in steps: over less than this they are most of what is measured. */
const SHORTEST_MILLIS = 1000;
/** What the streams sent longer ago says less of what they will send. */
const LONGEST_MILLIS = 30_000;

/** How fast a file that is being written grows: what it takes of its disk, whatever compression leaves of it. */
export class FileGrowth {
  readonly #file: string;
  readonly #seen: { readonly millis: number; readonly bytes: number }[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Looks at the file.
   *
   * @param millis now, on a clock that never steps.
   * @returns bytes per second over the last half minute; undefined while that is not known.
   */
  async look(millis: number): Promise<number | undefined> {
    const bytes = await stat(this.#file).then(
      ({ size }) => size,
      () => undefined, // it is whole and has its own name now, or the disk is gone, which its writer tells
    );
    if (bytes === undefined) return undefined;
    const now = { millis, bytes };
    this.#seen.push(now);
    while (now.millis - this.#seen[0]!.millis > LONGEST_MILLIS) this.#seen.shift();
    const first = this.#seen[0]!;
    const lasted = now.millis - first.millis;
    return lasted < SHORTEST_MILLIS ? undefined : ((now.bytes - first.bytes) / lasted) * 1000;
  }
}
