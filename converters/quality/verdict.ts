import type { Finding, Verdict } from '../../schemas/finding.ts';
import type { TakeFindings } from '../../schemas/message-observer.ts';
import { nanosToSecs } from '../../schemas/time.ts';

/** Where these cannot judge, nobody can say that an episode is sound. */
const REQUIRED: ReadonlySet<string> = new Set(['C01', 'C02']);
/** The same for every stream that they look at; a robot without cameras needs no check of pictures. */
const REQUIRED_OF_STREAMS: ReadonlySet<string> = new Set(['T07', 'V01']);
const MOST_REASONS = 3;

/**
 * Whether an episode is fit for use: only a failed DEFECT excludes it; a failed RISK or a doubtful DEFECT sends it to
 * a person; measurements alone never decide (catalogue, b0).
 *
 * @param waived ids of findings that a person has answered for.
 */
export function verdictOf(findings: readonly Finding[], waived: ReadonlySet<string> = new Set()): Verdict {
  const standing = findings.filter(({ id }) => !waived.has(id));
  if (standing.some(({ claim, status }) => claim === 'DEFECT' && status === 'fail')) return 'EXCLUDE';
  if (standing.some(isForReview)) return 'REVIEW';
  return standing.some(isUnjudged) ? 'UNKNOWN' : 'PASS';
}

/** The verdict where the checks did not see the whole take, which is still to be checked. */
export function unchecked(why: string): TakeFindings {
  return {
    verdict: 'UNKNOWN',
    reasons: [`${why}; "kinescribe check" looks at the whole take`],
    findings: [],
  };
}

/** The findings behind a verdict, the gravest first. */
export function reasonsOf(findings: readonly Finding[], waived: ReadonlySet<string> = new Set()): Finding[] {
  return findings
    .filter((finding) => !waived.has(finding.id) && gravity(finding) > 0)
    .sort((a, b) => gravity(b) - gravity(a) || excess(b) - excess(a));
}

/** The most important reasons in words, each with the time to look at, from the start of the episode on. */
export function reasonTexts(
  reasons: readonly Finding[],
  startTime: bigint,
  { most = MOST_REASONS }: { readonly most?: number } = {},
): string[] {
  return reasons.slice(0, most).map((finding) => reasonText(finding, startTime));
}

export function reasonText({ stream, reason, check, window }: Finding, startTime: bigint): string {
  const at = window ? ` at ${nanosToSecs(window.startTime - startTime).toFixed(1)} s` : '';
  return `${stream ? `${stream}: ` : ''}${reason}${at} (${check})`;
}

function isForReview({ claim, status }: Finding): boolean {
  return (claim === 'RISK' && status === 'fail') || (claim === 'DEFECT' && status === 'warn');
}

function isUnjudged({ check, status, stream }: Finding): boolean {
  if (status !== 'not_assessed') return false;
  return REQUIRED.has(check) || (stream !== undefined && REQUIRED_OF_STREAMS.has(check));
}

function gravity(finding: Finding): number {
  const { claim, status } = finding;
  if (claim === 'DEFECT' && status === 'fail') return 5;
  if (claim === 'RISK' && status === 'fail') return 4;
  if (claim === 'DEFECT' && status === 'warn') return 3;
  if (isUnjudged(finding)) return 2;
  return status === 'warn' || status === 'fail' ? 1 : 0;
}

/** How far beyond its limit; a finding without one counts as far beyond. */
function excess({ value, limit }: Finding): number {
  if (value === undefined || !limit) return Number.MAX_VALUE;
  return Math.abs(Math.log(Math.max(Math.abs(value), 1e-12) / Math.abs(limit)));
}
