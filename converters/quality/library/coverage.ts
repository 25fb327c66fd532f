import {
  type CollectionPlan,
  type PlannedTake,
  planProgress,
  type TargetProgress,
} from '../../../schemas/collection-plan.ts';
import { type Occupancy, occupancyOf } from './occupancy.ts';

/** Less than this share of the episodes is a class too small to learn from. */
const SMALLEST_SHARE = 0.05;

export interface Balance {
  readonly property: 'task' | 'object' | 'scene' | 'operator';
  readonly classes: readonly { readonly name: string; readonly episodes: number }[];
  /** Entropy over that of equal classes: 1 is even, 0 is one class alone. */
  readonly evenness: number;
  /** Classes with less than 5 % of the episodes. */
  readonly small: readonly string[];
}

/** How evenly a library covers what it is of (X08), and where its robots have been and how far it is with its plan (X05). */
export interface Coverage {
  readonly balance: readonly Balance[];
  /** Undefined without a plan. */
  readonly targets: readonly TargetProgress[] | undefined;
  /** Undefined where no episode says how its joints moved. */
  readonly occupancy: Occupancy | undefined;
}

export function coverageOf(
  takes: readonly PlannedTake[],
  plan: CollectionPlan | undefined,
  traces: Parameters<typeof occupancyOf>[0] = [],
): Coverage {
  const properties = ['task', 'object', 'scene', 'operator'] as const;
  return {
    balance: properties.flatMap((property) => balanceOf(property, takes) ?? []),
    targets: plan && planProgress(plan, takes),
    occupancy: occupancyOf(traces),
  };
}

/** Undefined where nobody said. */
function balanceOf(property: Balance['property'], takes: readonly PlannedTake[]): Balance | undefined {
  const named = takes.flatMap(({ info }) => info[property] ?? []);
  if (named.length === 0) return undefined;
  const classes = [...Map.groupBy(named, (name) => name)]
    .map(([name, { length }]) => ({ name, episodes: length }))
    .sort((a, b) => b.episodes - a.episodes);
  const shares = classes.map(({ episodes }) => episodes / named.length);
  const entropy = shares.reduce((sum, share) => sum - share * Math.log(share), 0);
  return {
    property,
    classes,
    evenness: classes.length > 1 ? entropy / Math.log(classes.length) : 0,
    small: classes.flatMap(({ name }, i) => (shares[i]! < SMALLEST_SHARE ? [name] : [])),
  };
}
