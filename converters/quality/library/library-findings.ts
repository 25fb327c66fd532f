import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { reasonsOf, reasonTexts, verdictOf } from '../verdict.ts';
import type { Likeness } from './near-duplicates.ts';
import { SAME_PATH, SAME_VIDEO_BITS } from './near-duplicates.ts';
import { OUTLIER_Z, type Outlier } from './outliers.ts';

/** What a library as a whole shows of its episodes. */
export interface LibraryVerdicts {
  readonly likenesses: readonly Likeness[];
  readonly outliers: readonly Outlier[];
  /** Ids of findings that nearly all episodes share. */
  readonly traits: ReadonlySet<string>;
}

/**
 * Adds to episodes what only their library can tell: copies become findings of the later one, and what nearly
 * all of them fail alike excludes none.
 */
export function withLibraryFindings<T extends CheckedEpisode>(
  episodes: readonly T[],
  { likenesses, outliers, traits }: LibraryVerdicts,
): readonly T[] {
  return episodes.map((episode) => {
    const isOwn = ({ file }: { readonly file: string }) => file === episode.file;
    const own = [
      ...likenesses.filter(isOwn).map(likenessFinding),
      ...outliers.filter(isOwn).map(outlierFinding),
    ];
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

function outlierFinding({ value, features, episodes }: Outlier): Finding {
  return {
    ...{ id: 'X10', check: 'X10', claim: 'RISK', status: 'fail', unit: 'z', value },
    ...{ limit: OUTLIER_Z, limitOrigin: 'own', evidence: { features: [...features], episodes } },
    reason: `its values differ from ${episodes - 1} other episodes of the task, most in ${features.join(', ')}`,
  };
}
