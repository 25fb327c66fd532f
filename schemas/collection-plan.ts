import type { EpisodeInfo, Outcome } from './episode.ts';
import { z } from './validation.ts';

const word = z.string().min(1);

const target = z.strictObject({
  task: word.describe("One of the contract's tasks."),
  object: word.optional().describe("One of the contract's objects; absent: any."),
  scene: word.optional().describe("One of the contract's scenes; absent: any."),
  operator: word.optional().describe('Who has to record it; absent: anyone.'),
  count: z.int().positive().describe('How many successful takes are wanted.'),
});

export const collectionPlanSchema = z.strictObject({
  kinescribe: z.literal(1).describe('Version of this file format.'),
  targets: z.array(target).min(1).describe('What a collection shall hold, in the order of recording.'),
});

/** What a collection of takes shall hold: the script that says what comes next, and the measure of coverage. */
export type CollectionPlan = Readonly<z.infer<typeof collectionPlanSchema>>;
export type PlanTarget = Readonly<z.infer<typeof target>>;

/** An episode of the library as a plan sees it. */
export interface PlannedTake {
  readonly info: Pick<EpisodeInfo, 'task' | 'operator' | 'scene' | 'object'>;
  readonly outcome: Outcome | undefined;
  /** Of a review; a discarded episode is as good as none. */
  readonly decision?: 'keep' | 'discard' | undefined;
}

export interface TargetProgress {
  readonly target: PlanTarget;
  /** Successful takes that count for it, at most its count. */
  readonly done: number;
  readonly left: number;
}

/**
 * How far a collection is, per target in the plan's order. A take counts when its outcome is "success" and no
 * review discarded it, and then once: for the first target that it fits and that is not full.
 */
export function planProgress(
  { targets }: CollectionPlan,
  takes: Iterable<PlannedTake>,
): readonly TargetProgress[] {
  const done = targets.map(() => 0);
  for (const { info, outcome, decision } of takes) {
    if (outcome !== 'success' || decision === 'discard') continue;
    const at = targets.findIndex((each, index) => done[index]! < each.count && fits(info, each));
    if (at >= 0) done[at]!++;
  }
  return targets.map((each, index) => ({
    target: each,
    done: done[index]!,
    left: each.count - done[index]!,
  }));
}

/** What this operator should record next: the first target with takes left that is not somebody else's. */
export function nextTarget(
  progress: readonly TargetProgress[],
  operator: string,
): TargetProgress | undefined {
  return progress.find(({ target, left }) => left > 0 && (target.operator ?? operator) === operator);
}

function fits(info: PlannedTake['info'], { count: _, ...asked }: PlanTarget): boolean {
  return (['task', 'object', 'scene', 'operator'] as const).every(
    (key) => asked[key] === undefined || asked[key] === info[key],
  );
}
