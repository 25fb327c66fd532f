import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { robustZ } from '../episode/motion-profile.ts';
import { findingOf } from '../grade.ts';
import { SMOOTHNESS } from '../motion/smoothness-checks.ts';
import { type Sibling, siblingOf } from './traits.ts';

const FEWEST_PEERS = 8;
/** Arc lengths that differ by less are alike: noise of the encoder alone makes as much. */
const ARC_FLOOR = 0.05;

/**
 * How smooth episodes are among others of their task (K08): what was measured of one alone says nothing, as a task
 * that asks for care is never as smooth as a reach.
 *
 * @param neighbours episodes of the library that are not among these.
 */
export function withTaskSmoothness<T extends CheckedEpisode>(
  episodes: readonly T[],
  neighbours: readonly Sibling[],
): readonly T[] {
  const siblings = episodes.map(siblingOf);
  return episodes.map((episode, i) => {
    const others = [...siblings.toSpliced(i, 1), ...neighbours];
    const peers = others.filter(({ task }) => task === episode.info?.task);
    const findings = episode.findings.map((finding) => {
      const arc = arcOf(finding);
      const arcs = peers.flatMap((peer) => arcOf(peer.findings.find(({ id }) => id === finding.id)) ?? []);
      return arc === undefined ? finding : amongPeers(finding, { arc, arcs, episode });
    });
    return { ...episode, findings };
  });
}

interface Compared {
  readonly arc: number;
  readonly arcs: readonly number[];
  readonly episode: CheckedEpisode;
}

function amongPeers(finding: Finding, { arc, arcs, episode: { contract } }: Compared): Finding {
  const evidence = { ...finding.evidence, peers: arcs.length };
  if (arcs.length < FEWEST_PEERS) {
    const reason = `it needs ${FEWEST_PEERS} other episodes of the task, found ${arcs.length}`;
    return { ...finding, evidence, reason };
  }
  const value = robustZ(arc, arcs, ARC_FLOOR);
  const far = `${Math.abs(value).toFixed(1)} standard deviations ${value < 0 ? 'below' : 'above'}`;
  const reason = `spectral arc length ${arc.toFixed(2)}, ${far} ${arcs.length} others of the task`;
  const { id, stream } = finding;
  const graded = findingOf(SMOOTHNESS, { value, evidence, reason }, { contract });
  return { ...graded, id, ...(stream !== undefined && { stream }) };
}

/** What a finding of K08 measured. */
function arcOf(finding: Finding | undefined): number | undefined {
  if (finding?.check !== SMOOTHNESS.id) return undefined;
  const { sparc } = finding.evidence;
  return typeof sparc === 'number' ? sparc : undefined;
}
