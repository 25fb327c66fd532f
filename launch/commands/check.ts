import { dirname } from 'node:path';
import { readCalibration, readCalibrations } from '../../converters/quality/calibrate.ts';
import { checkLibrary, type LibraryEntry } from '../../converters/quality/check-library.ts';
import { CHECKS } from '../../converters/quality/checks.ts';
import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import { readContract } from '../../schemas/contract-file.ts';
import type { Finding, FindingStatus } from '../../schemas/finding.ts';
import { episodesAt } from '../../schemas/library.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import type { CommandOptions } from '../command.ts';
import { programVersion } from '../version.ts';

const EXCLUDED = 3;

/**
 * `kinescribe check`: what is wrong with episodes.
 *
 * @returns 0, or 3 when an episode is excluded or not readable.
 */
export async function check(paths: readonly string[], options: CommandOptions): Promise<number> {
  const contract: Contract | undefined =
    options.contract === undefined ? undefined : (await readContract(String(options.contract))).contract;
  const entries: LibraryEntry[] = [];
  const files = await episodesAt(paths);
  const calibrations = await calibrationsOf(files, options);
  const checking = checkLibrary(files, {
    checks: CHECKS,
    contract,
    calibrationOf: (robot) => calibrations.get(robot ?? ''),
    version: await programVersion(),
  });
  for await (const entry of checking) {
    entries.push(entry);
    if (!options.json)
      process.stdout.write(`${entryLines(entry, { all: Boolean(options.all) }).join('\n')}\n\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(entries.map(plain), bigintText, 2)}\n`);
  else process.stdout.write(`${totals(entries)}\n`);
  return entries.every((entry) => entry.kind === 'checked' && entry.verdict !== 'EXCLUDE') ? 0 : EXCLUDED;
}

/** The one that was named counts for its robot; else those that lie beside the episodes. */
async function calibrationsOf(
  files: readonly string[],
  { calibration }: CommandOptions,
): Promise<ReadonlyMap<string, Calibration>> {
  if (calibration !== undefined) {
    const named = await readCalibration(String(calibration));
    return new Map([[named.robot, named]]);
  }
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const found = await Promise.all(folders.map(readCalibrations));
  return new Map(found.flatMap((calibrations) => [...calibrations]));
}

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

function totals(entries: readonly LibraryEntry[]): string {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const verdict = entry.kind === 'checked' ? entry.verdict : 'UNREADABLE';
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return `${entries.length} episodes: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`;
}

/** Of a checked episode what a program needs: its contract lies in the recording. */
function plain(entry: LibraryEntry): object {
  if (entry.kind === 'unreadable') return entry;
  const { contract: _, calibration: __, ...rest } = entry;
  return rest;
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
