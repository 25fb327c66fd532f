import type { PictureUse } from './picture-track.ts';

/**
 * The pictures of one camera, each of which may be shown at several frames and go into several tracks. Tells of
 * each, once another is shown and no track looks at it any more, that its memory can be given back.
 */
export class PictureUses {
  readonly #onUnused: (pixels: Uint8Array) => void;
  #shown: Uint8Array | undefined;
  /** Resolves when the tracks are done with the picture that is shown. */
  #done: Promise<unknown> = Promise.resolve();

  constructor(onUnused: (pixels: Uint8Array) => void) {
    this.#onUnused = onUnused;
  }

  /** To be called once for each frame, in order. */
  add(pixels: Uint8Array, uses: readonly PictureUse[]): void {
    const before = this.#shown;
    if (before && before !== pixels) {
      // A track that failed says so itself; its pictures are left to the collector.
      this.#done.then(
        () => this.#onUnused(before),
        () => {},
      );
      this.#done = Promise.resolve();
    }
    this.#shown = pixels;
    this.#done = Promise.all([this.#done, ...uses.map(({ done }) => done)]);
    this.#done.catch(() => {});
  }
}
