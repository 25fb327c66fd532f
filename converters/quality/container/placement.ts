import { entryOf } from '../entry-of.ts';
import { transformsOf } from './transform-tree-check.ts';

interface Edge {
  readonly parent: string;
  /** x, y, z, and the rotation's x, y, z, w, as first said. */
  readonly pose: readonly number[];
  moves: boolean;
}

/** Where frames stand beside those that move, as the transforms of an episode say it. */
export class Placement {
  readonly #edges = new Map<string, Edge>();

  /** @param transforms of one message. */
  add(transforms: unknown): void {
    for (const { child_frame_id: child, header, transform } of transformsOf(transforms)) {
      const { translation, rotation } = transform ?? {};
      if (!translation || !rotation) continue;
      const pose = [
        translation.x,
        translation.y,
        translation.z,
        rotation.x,
        rotation.y,
        rotation.z,
        rotation.w,
      ];
      const edge = entryOf(this.#edges, child, () => ({ parent: header.frame_id, pose, moves: false }));
      edge.moves ||= pose.some((value, i) => value !== edge.pose[i]);
    }
  }

  /** `unknown` for a frame that is not placed beside anything that moves, `identity` for one that was left at its root. */
  of(frame: string): 'placed' | 'unknown' | 'identity' | 'zero' {
    const chain = this.#chain(frame);
    const edges = chain.flatMap((child) => this.#edges.get(child) ?? []);
    if (edges.some(({ pose }) => pose.slice(3).every((value) => value === 0))) return 'zero';
    if (edges.some(({ moves }) => moves)) return 'placed';
    const root = edges.at(-1)?.parent ?? frame;
    const isBeside = [...this.#edges].some(([child, { moves }]) => moves && this.#rootOf(child) === root);
    if (!isBeside) return 'unknown';
    return edges.length > 0 && edges.every(({ pose }) => isIdentity(pose)) ? 'identity' : 'placed';
  }

  #rootOf(frame: string): string {
    return this.#edges.get(this.#chain(frame).at(-1) ?? '')?.parent ?? frame;
  }

  /** The frames from one up to, and without, the root; a circle ends where it closes, which C12 tells. */
  #chain(frame: string): readonly string[] {
    const chain: string[] = [];
    for (let at = frame; !chain.includes(at); ) {
      const edge = this.#edges.get(at);
      if (!edge) break;
      chain.push(at);
      at = edge.parent;
    }
    return chain;
  }
}

function isIdentity(pose: readonly number[]): boolean {
  return pose.slice(0, 6).every((value) => value === 0);
}
