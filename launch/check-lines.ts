import type { LibraryEntry } from '../converters/quality/check-library.ts';
import type { Finding, FindingStatus } from '../schemas/finding.ts';
import { nanosToSecs } from '../schemas/time.ts';

const MARKS: Readonly<Record<FindingStatus, string>> = {
  fail: 'FAIL',
  warn: 'warn',
  pass: 'ok',
  info: 'info',
  not_assessed: '–',
};
const ORDER: readonly FindingStatus[] = ['fail', 'warn', 'info', 'not_assessed', 'pass'];

/** One episode for people: its verdict, the reasons, and a table of what is not right. */
export function entryLines(entry: LibraryEntry, { all = false } = {}): string[] {
  if (entry.kind === 'unreadable') return [`UNREADABLE ${entry.file}`, `  ${entry.message}`];
  const { verdict, file, durationSecs, findings, reasons, startTime } = entry;
  const shown = findings
    .filter(({ status }) => all || status === 'fail' || status === 'warn')
    .toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  const graded = findings.filter(({ status }) => status !== 'not_assessed').length;
  return [
    `${verdict} ${file}, ${durationSecs.toFixed(1)} s, ${graded} of ${findings.length} findings graded`,
    ...reasons.map((reason) => `  * ${reason}`),
    ...table(shown.map((finding) => cells(finding, startTime))),
  ];
}

const HEADINGS = ['check', '', 'claim', 'stream', 'value', 'limit', 'from', 'at s', 'what'];

function cells(finding: Finding, startTime: bigint): string[] {
  const {
    check: id,
    status,
    claim,
    stream,
    channel,
    value,
    unit,
    limit,
    limitOrigin,
    window,
    reason,
  } = finding;
  return [
    id,
    MARKS[status],
    claim.toLowerCase(),
    [stream, channel].filter(Boolean).join(' '),
    value === undefined ? '' : `${figure(value)} ${unit}`.trim(),
    limit === undefined ? '' : figure(limit),
    limitOrigin === 'own' ? 'own, unvalidated' : (limitOrigin ?? ''),
    window ? nanosToSecs(window.startTime - startTime).toFixed(2) : '',
    reason,
  ];
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

function table(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const lines = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, i) => Math.max(...lines.map((row) => row[i]!.length)));
  return lines.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
}

/** How many episodes of which verdict. */
export function totals(entries: readonly LibraryEntry[]): string {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const verdict = entry.kind === 'checked' ? entry.verdict : 'UNREADABLE';
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return `${entries.length} episodes: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`;
}
