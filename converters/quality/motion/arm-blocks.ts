import type { Observation } from '../observation.ts';
import { type Block, Blocks } from './blocks.ts';
import { isGripper, jointsOf } from './joints.ts';

/** Motion below is noise of an arm that rests: radians or metres, and per second. */
export const LEAST_PEAK = 0.02;

export interface ArmBlocksOptions {
  /** Which numbers of the joints. @default 'positions' */
  readonly of?: 'positions' | 'efforts';
  /** A block of which no joint ranges wider is left out, in the unit of the numbers. @default LEAST_PEAK */
  readonly leastRange?: number;
}

/** Blocks of the arm's joints alone, in which something moves. */
export class ArmBlocks {
  readonly #blocks: Blocks;
  readonly #of: NonNullable<ArmBlocksOptions['of']>;
  #places: readonly number[] | undefined;
  #hasMoved = false;

  constructor(
    use: (block: Block) => void,
    { of = 'positions', leastRange = LEAST_PEAK }: ArmBlocksOptions = {},
  ) {
    this.#of = of;
    this.#blocks = new Blocks({
      use: (block) => {
        if (!block.columns.some((column) => Math.max(...column) - Math.min(...column) > leastRange)) return;
        this.#hasMoved = true;
        use(block);
      },
    });
  }

  add(observation: Observation): void {
    const joints = jointsOf(observation);
    const values = joints?.[this.#of];
    if (!joints || !values || values.length === 0) return;
    this.#places ??= joints.names.flatMap((name, i) => (isGripper(name) ? [] : [i]));
    this.#blocks.add(
      observation,
      Float64Array.from(this.#places, (place) => values[place]!),
    );
  }

  flush(): void {
    this.#blocks.flush();
  }

  /** False for a stream of grippers alone, which concerns no check of arms, and for one without such numbers. */
  get hasArm(): boolean {
    return this.#places !== undefined && this.#places.length > 0;
  }

  get hasMoved(): boolean {
    return this.#hasMoved;
  }
}
