import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { reasonsOf, reasonTexts, verdictOf } from '../verdict.ts';
import type { Likeness } from './near-duplicates.ts';
import { SAME_PATH, SAME_VIDEO_BITS } from './near-duplicates.ts';

/**
 * Adds to episodes what only their library can tell: copies become findings of the later one, and what nearly
 * all of them fail alike excludes none.
 */
export function withLibraryFindings<T extends CheckedEpisode>(
  episodes: readonly T[],
  { likenesses, traits }: { readonly likenesses: readonly Likeness[]; readonly traits: ReadonlySet<string> },
): readonly T[] {
  return episodes.map((episode) => {
    const own = likenesses.filter(({ file }) => file === episode.file).map(likenessFinding);
    const findings = [...episode.findings, ...own];
    const excused = new Set([...episode.waived, ...traits]);
    const reasons = reasonTexts(reasonsOf(findings, excused), episode.startTime);
    return { ...episode, findings, verdict: verdictOf(findings, excused), reasons };
  });
}

function likenessFinding({ check, other, value }: Likeness): Finding {
  const common = { id: `${check}/${other}`, check, value, evidence: { other } };
  switch (check) {
    case 'X01':
      return { ...common, claim: 'DEFECT', status: 'fail', unit: '', reason: `it is a copy of ${other}` };
    case 'X02': {
      const isSame = value < SAME_PATH;
      const reason = `its path is ${isSame ? '' : 'nearly '}that of ${other}`;
      const limits = { limit: SAME_PATH, limitOrigin: 'own' } as const;
      return {
        ...common,
        ...limits,
        claim: 'RISK',
        status: isSame ? 'fail' : 'warn',
        unit: 'ranges',
        reason,
      };
    }
    case 'X03': {
      const limits = { limit: SAME_VIDEO_BITS, limitOrigin: 'default' } as const;
      return {
        ...common,
        ...limits,
        claim: 'RISK',
        status: 'fail',
        unit: 'bits',
        reason: `its video is that of ${other}`,
      };
    }
    default:
      return check satisfies never;
  }
}
