import { readFile } from 'node:fs/promises';
import { type CollectionPlan, collectionPlanSchema } from './collection-plan.ts';
import type { Contract } from './contract.ts';
import { type DocumentIssue, PlanError, UsageError } from './errors.ts';
import { parseYaml, yamlPosition } from './yaml-document.ts';

/** The plan of a library lies in it under this name. */
export const PLAN_FILE = 'plan.yaml';

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
