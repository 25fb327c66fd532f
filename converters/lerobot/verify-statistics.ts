import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from '../../schemas/validation.ts';
import type { Faults } from './faults.ts';
import { STATISTIC_NAMES } from './feature-statistics.ts';
import { STATS_FILE } from './layout.ts';
import type { LerobotFeature, LerobotInfo } from './read-metadata.ts';
import type { SeenElements } from './verify-rows.ts';

type Nested = number | readonly Nested[];
const nested: z.ZodType<Nested> = z.lazy(() => z.union([z.number(), z.array(nested)]));
const statsSchema = z.record(z.string(), z.record(z.string(), nested));

/** Checks that normalisation finds finite numbers of the right shape for every feature that has any value. */
export async function verifyStatistics(
  directory: string,
  { info, seen }: { info: LerobotInfo; seen: SeenElements },
  faults: Faults,
): Promise<void> {
  let stats: z.infer<typeof statsSchema>;
  try {
    stats = statsSchema.parse(JSON.parse(await readFile(join(directory, STATS_FILE), 'utf8')));
  } catch (cause) {
    faults.add(STATS_FILE, `cannot be read, or holds something other than finite numbers (${cause}).`);
    return;
  }
  for (const [key, feature] of Object.entries(info.features)) {
    if (feature.dtype === 'string' || feature.dtype === 'language') continue;
    const table = stats[key];
    if (table)
      for (const fault of tableFaults(table, statisticShape(feature)))
        faults.add(STATS_FILE, `"${key}" ${fault}`);
    else if (seen.get(key)?.every(Boolean)) faults.add(STATS_FILE, `"${key}" has values and no statistics.`);
  }
}

function statisticShape({ dtype, shape }: LerobotFeature): readonly number[] {
  return dtype === 'video' || dtype === 'image' ? [3, 1, 1] : shape;
}

function* tableFaults(table: Readonly<Record<string, Nested>>, shape: readonly number[]): Generator<string> {
  for (const name of STATISTIC_NAMES) {
    const value = table[name];
    if (value === undefined) yield `has no "${name}".`;
    else if (shapeOf(value).join() !== shape.join()) {
      yield `has "${name}" of shape [${shapeOf(value).join(', ')}], not [${shape.join(', ')}].`;
    }
  }
  const [count] = flatten(table.count ?? []);
  if (!(count && count > 0)) yield `has no "count" above 0.`;
  const order = ['min', 'q01', 'q10', 'q50', 'q90', 'q99', 'max'].map((name) => flatten(table[name] ?? []));
  for (let i = 1; i < order.length; i++) {
    const falls = order[i]!.findIndex((value, element) => {
      const below = order[i - 1]![element]!;
      // Interpolated quantiles may miss the extremes by a rounding error.
      return below - value > 1e-9 * Math.max(1, Math.abs(below));
    });
    if (falls >= 0) yield `has quantiles that fall at element ${falls}.`;
  }
}

function shapeOf(value: Nested): number[] {
  return typeof value === 'number'
    ? []
    : [value.length, ...(value[0] === undefined ? [] : shapeOf(value[0]))];
}

function flatten(value: Nested): number[] {
  return typeof value === 'number' ? [value] : value.flatMap(flatten);
}
