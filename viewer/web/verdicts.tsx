import type { EpisodeSummary } from '../api.ts';

const MARKS = { success: '✓', failure: '✕' } as const;

/** How the take ended, as a sign with its word for those who cannot see it. */
export function Outcome({ outcome }: { outcome: EpisodeSummary['outcome'] }) {
  if (!outcome) return <span class="outcome" role="img" aria-label="outcome not known" />;
  return (
    <span class={`outcome ${outcome}`} role="img" aria-label={outcome}>
      {MARKS[outcome]}
    </span>
  );
}

/** What the checks say of an episode. */
export function Verdict({ verdict }: { verdict: EpisodeSummary['verdict'] }) {
  return verdict ? <span class={`badge ${verdict}`}>{verdict.toLowerCase()}</span> : <>–</>;
}
