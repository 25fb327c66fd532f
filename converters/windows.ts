import type { SampleSettings } from '../schemas/contract.ts';

/** What a window is cut from needs no more than its place in the episode. */
export interface Indexed {
  readonly index: number;
}

/** What one training sample sees of an episode. */
export interface Window<F extends Indexed = Indexed> {
  /** The frame the sample is about: the last one observed, the first one acted in. */
  readonly anchor: F;
  /** `observationSteps` frames up to and including the anchor. */
  readonly observations: readonly WindowStep<F>[];
  /** `horizon` frames from the anchor on, or from the first observed one. */
  readonly actions: readonly WindowStep<F>[];
}

export interface WindowStep<F extends Indexed = Indexed> {
  readonly frame: F;
  /** Whether the step lies outside the episode, so that the edge frame stands in for it. */
  readonly padded: boolean;
}

/**
 * Cuts an episode into windows while its frames pass by; holds `observationSteps + horizon` frames at
 * most. Anchors lie at multiples of `stride`. Over an end of the episode, padding `repeat` repeats the edge
 * frame, `drop` leaves the window out.
 */
export class WindowCutter<F extends Indexed = Indexed> {
  readonly #settings: SampleSettings;
  /** The frames that coming windows need, in order. */
  #frames: F[] = [];
  #nextAnchor = 0;

  constructor(settings: SampleSettings) {
    this.#settings = settings;
  }

  /** The window that this frame completes, if any. Frames come in order of their index, from 0. */
  push(frame: F): Window<F> | undefined {
    const { horizon, observationSteps } = this.#settings;
    this.#frames.push(frame);
    const lastAction = this.#firstAction(this.#nextAnchor) + horizon - 1;
    if (frame.index < Math.max(this.#nextAnchor, lastAction)) return undefined;
    const window = this.#cut(frame.index);
    const firstNeeded = this.#nextAnchor - observationSteps + 1;
    while (this.#frames.length > 1 && this.#frames[0]!.index < firstNeeded) this.#frames.shift();
    return window;
  }

  /** The windows over the end of the episode; the cutter is ready for the next episode then. */
  *end(): Generator<Window<F>> {
    const last = this.#frames.at(-1)?.index ?? -1;
    while (this.#settings.padding === 'repeat' && this.#nextAnchor <= last) {
      const window = this.#cut(last);
      if (window) yield window;
    }
    this.#frames = [];
    this.#nextAnchor = 0;
  }

  #firstAction(anchor: number): number {
    const { actionsFrom, observationSteps } = this.#settings;
    return actionsFrom === 'anchor' ? anchor : anchor - observationSteps + 1;
  }

  /** The window of the next anchor, where its padding is allowed. */
  #cut(last: number): Window<F> | undefined {
    const { observationSteps, horizon, stride, padding } = this.#settings;
    const anchor = this.#nextAnchor;
    this.#nextAnchor += stride;
    const first = anchor - observationSteps + 1;
    if (padding === 'drop' && first < 0) return undefined;
    const oldest = this.#frames[0]!.index;
    const step = (index: number): WindowStep<F> => {
      const inside = Math.min(Math.max(index, 0), last);
      return { frame: this.#frames[inside - oldest]!, padded: inside !== index };
    };
    return {
      anchor: step(anchor).frame,
      observations: Array.from({ length: observationSteps }, (_, i) => step(first + i)),
      actions: Array.from({ length: horizon }, (_, i) => step(this.#firstAction(anchor) + i)),
    };
  }
}

/** The windows of an episode of so many frames, by the places of its frames. */
export function* episodeWindows(frames: number, settings: SampleSettings): Generator<Window> {
  const cutter = new WindowCutter(settings);
  for (let index = 0; index < frames; index++) {
    const window = cutter.push({ index });
    if (window) yield window;
  }
  yield* cutter.end();
}
