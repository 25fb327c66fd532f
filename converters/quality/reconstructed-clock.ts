import type { Finding } from '../../schemas/finding.ts';

/** Checks that say nothing of a stream whose times were made up from its rate. */
const OF_REAL_TIMES = new Set(['T04', 'T05', 'T06', 'T09', 'T10', 'T11', 'T12', 'T13']);

/** Takes back what checks of time said of streams whose receive times T14 found to be reconstructed. */
export function assessable(findings: readonly Finding[]): readonly Finding[] {
  const reconstructed = new Set(
    findings.filter(({ check, status }) => check === 'T14' && status === 'info').map(({ stream }) => stream),
  );
  if (reconstructed.size === 0) return findings;
  return findings.map((finding) => {
    if (!OF_REAL_TIMES.has(finding.check) || !reconstructed.has(finding.stream)) return finding;
    const { value: _, limit: __, limitOrigin: ___, ...rest } = finding;
    const reason = 'its times are evenly spaced to the last digit: they were made of the rate, not measured';
    return { ...rest, status: 'not_assessed' as const, reason };
  });
}
