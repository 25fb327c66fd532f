import { readFile } from 'node:fs/promises';
import type { Contract } from './contract.ts';
import type { EpisodeInfo, Outcome } from './episode.ts';
import { type DocumentIssue, PlanError, UsageError } from './errors.ts';
import { z } from './validation.ts';
import { parseYaml, yamlPosition } from './yaml-document.ts';

/** The plan of a library lies in it under this name. */
export const PLAN_FILE = 'plan.yaml';

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

/**
 * Reads and checks a plan.
 *
 * @throws {UsageError} when the file cannot be read.
 * @throws {PlanError} with every broken rule, each at its line.
 */
export async function readPlan(file: string, contract: Contract): Promise<CollectionPlan> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(
      `Cannot read plan "${file}": ${(cause as Error).message}. Give the path of a plan.`,
      { cause },
    );
  }
  return parsePlan(text, file, contract);
}

/**
 * Checks a plan's text by its own rules and by the contract's lists; `file` is only named in errors.
 *
 * @throws {PlanError} with every broken rule, each at its line.
 */
export function parsePlan(text: string, file: string, { episode }: Contract): CollectionPlan {
  const fault = (issues: readonly DocumentIssue[]) => new PlanError(issues);
  const plan = parseYaml(text, { file, schema: collectionPlanSchema, fault });
  const issues = plan.targets.flatMap(({ task, object, scene }, index) =>
    (
      [
        ['task', task, episode.tasks],
        ['object', object, episode.objects],
        ['scene', scene, episode.scenes],
      ] as const
    ).flatMap(([key, value, listed]): DocumentIssue[] => {
      if (value === undefined || listed.includes(value)) return [];
      const path = ['targets', String(index), key];
      const known = listed.length > 0 ? listed.map((each) => `"${each}"`).join(', ') : 'none';
      const rule = `the contract's ${key}s are ${known}; found "${value}"`;
      return [{ position: yamlPosition(text, path, file), path: path.join('.'), rule }];
    }),
  );
  if (issues.length > 0) throw fault(issues);
  return plan;
}

/** An episode of the library as a plan sees it. */
export interface PlannedTake {
  readonly info: Pick<EpisodeInfo, 'task' | 'operator' | 'scene' | 'object'>;
  readonly outcome: Outcome | undefined;
}

export interface TargetProgress {
  readonly target: PlanTarget;
  /** Successful takes that count for it, at most its count. */
  readonly done: number;
  readonly left: number;
}

/**
 * How far a collection is, per target in the plan's order. A take counts when it was kept with the outcome
 * "success", and then once: for the first target that it fits and that is not full.
 */
export function planProgress(
  { targets }: CollectionPlan,
  takes: Iterable<PlannedTake>,
): readonly TargetProgress[] {
  const done = targets.map(() => 0);
  for (const { info, outcome } of takes) {
    if (outcome !== 'success') continue;
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
