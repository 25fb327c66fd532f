import type { WindowReading } from './dataset-reading.ts';
import type { Truth } from './verify-truth.ts';

interface EpisodeWindows extends Pick<WindowReading, 'anchors'> {
  readonly file: string;
  readonly frames: number;
  /** Frames that the windows which were read are about. */
  readonly read: Set<number>;
}

/** Which windows a dataset holds, each by itself: one that is missing leaves no gap that a loader would notice. */
export class WindowsRead {
  /** By id of the episode. */
  readonly #episodes = new Map<string, EpisodeWindows>();

  /** @returns a fault where the window was read before. */
  add(id: string, { place, anchor, anchors }: WindowReading, { file, numbers: { frames } }: Truth): string[] {
    const episode = this.#episodes.get(id) ?? { file, frames, anchors, read: new Set<number>() };
    this.#episodes.set(id, episode);
    const isThere = episode.read.has(anchor);
    episode.read.add(anchor);
    return isThere ? [`${place}: the window of frame ${anchor} is there a second time.`] : [];
  }

  /** One sentence for every episode that lacks windows. */
  missing(directory: string): string[] {
    return [...this.#episodes].flatMap(([id, { file, frames, anchors, read }]) => {
      const [first, ...others] = anchors(frames).filter((anchor) => !read.has(anchor));
      if (first === undefined) return [];
      const more = others.length > 0 ? ` (and of ${others.length} more frames)` : '';
      return `${directory}: episode "${id}" has no window of frame ${first}${more}, "${file}" gives one.`;
    });
  }
}
