import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';

/** The same failure on this share of so many episodes says something of the rig, not of an episode. */
const TRAIT_SHARE = 0.95;
const FEWEST_EPISODES = 20;

/** What an episode tells of the others of its library. */
export interface Sibling {
  readonly task: string | undefined;
  /** Empty where nobody has checked it. */
  readonly findings: readonly Finding[];
}

export function siblingOf({ info, findings }: CheckedEpisode): Sibling {
  return { task: info?.task, findings };
}

/**
 * Ids of findings that are failures of almost every episode, or of all of one task and of none of another: traits of
 * the rig or of a task, which exclude nothing (catalogue, b0).
 */
export function traitsOf(siblings: readonly Sibling[]): ReadonlySet<string> {
  const checked = siblings.filter(({ findings }) => findings.length > 0);
  if (checked.length < FEWEST_EPISODES) return new Set();
  const failed = new Map<string, Sibling[]>();
  for (const sibling of checked) {
    for (const { id, status } of sibling.findings) {
      if (status === 'fail') failed.set(id, [...(failed.get(id) ?? []), sibling]);
    }
  }
  const tasks = Map.groupBy(checked, ({ task }) => task);
  const isTrait = (failing: readonly Sibling[]) => {
    if (failing.length / checked.length >= TRAIT_SHARE) return true;
    const share = (group: readonly Sibling[]) =>
      group.filter((each) => failing.includes(each)).length / group.length;
    const shares = [...tasks.values()].filter((group) => group.length >= FEWEST_EPISODES / 2).map(share);
    return shares.includes(1) && shares.includes(0) && shares.every((each) => each === 0 || each === 1);
  };
  return new Set([...failed].flatMap(([id, failing]) => (isTrait(failing) ? [id] : [])));
}
