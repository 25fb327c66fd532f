import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { calibrationsBeside, readCalibration } from '../../converters/quality/calibrate.ts';
import { checkLibrary, findingsOf, type LibraryEntry } from '../../converters/quality/check-library.ts';
import { CHECKS } from '../../converters/quality/checks.ts';
import { coverageOf } from '../../converters/quality/library/coverage.ts';
import { fleetOf } from '../../converters/quality/library/fleet.ts';
import { withLibraryFindings } from '../../converters/quality/library/library-findings.ts';
import { nearDuplicates } from '../../converters/quality/library/near-duplicates.ts';
import { neighboursOf } from '../../converters/quality/library/neighbours.ts';
import { outliersOf } from '../../converters/quality/library/outliers.ts';
import { withTaskSmoothness } from '../../converters/quality/library/task-smoothness.ts';
import { TraceCollector } from '../../converters/quality/library/trace.ts';
import { siblingOf, traitsOf } from '../../converters/quality/library/traits.ts';
import { EpisodeRecord } from '../../converters/quality/report/episode-record.ts';
import { episodeSection } from '../../converters/quality/report/episode-section.ts';
import { fleetSection, type LibraryView } from '../../converters/quality/report/fleet-section.ts';
import { escapeHtml } from '../../converters/quality/report/plots.ts';
import { reportPage } from '../../converters/quality/report/report-page.ts';
import type { Calibration } from '../../schemas/calibration.ts';
import type { CollectionPlan } from '../../schemas/collection-plan.ts';
import type { Contract } from '../../schemas/contract.ts';
import { readContract } from '../../schemas/contract-file.ts';
import { KinescribeError } from '../../schemas/errors.ts';
import { writeFindings } from '../../schemas/findings-file.ts';
import { currentLabels, readLabels } from '../../schemas/labels.ts';
import { episodesAt } from '../../schemas/library.ts';
import { PLAN_FILE, readPlan } from '../../schemas/plan-file.ts';
import { entryLines, totals } from '../check-lines.ts';
import type { CommandOptions } from '../command.ts';
import { programVersion } from '../version.ts';

const EXCLUDED = 3;

type Checked = Extract<LibraryEntry, { readonly kind: 'checked' }>;

/**
 * `kinescribe check`: what is wrong with episodes.
 *
 * @returns 0, or 3 when an episode is excluded or not readable.
 */
export async function check(paths: readonly string[], options: CommandOptions): Promise<number> {
  const contract =
    options.contract === undefined ? undefined : (await readContract(String(options.contract))).contract;
  const version = await programVersion();
  const files = await episodesAt(paths);
  const calibrations = await calibrationsOf(files, options);
  const neighbours = await neighboursOf(files);
  const traces = new Map<string, TraceCollector>();
  const records = new Map<string, EpisodeRecord>();
  const checking = checkLibrary(files, {
    ...{ checks: CHECKS, contract, version },
    neighbours: neighbours.map(({ peer }) => peer),
    calibrationOf: (robot) => calibrations.get(robot ?? ''),
    alongside: (file, startTime) => {
      const trace = new TraceCollector(startTime);
      traces.set(file, trace);
      if (options.report === undefined) return trace;
      const record = new EpisodeRecord(startTime);
      records.set(file, record);
      return {
        observe(observation) {
          trace.observe(observation);
          record.observe(observation);
        },
      };
    },
  });
  const entries: LibraryEntry[] = [];
  for await (const entry of checking) {
    entries.push(entry);
    if (!options.json) print(entryLines(entry, { all: options.all === true }), '');
  }
  const alone = entries.filter((entry) => entry.kind === 'checked');
  const checked = withTaskSmoothness(alone, neighbours);
  const view = await viewOf(checked, { traces, contract, folder: dirname(files[0]!) });
  const traits = traitsOf([...checked.map(siblingOf), ...neighbours]);
  const judged = withLibraryFindings(checked, { ...view, traits });
  for (const [i, entry] of judged.entries()) {
    const before = alone[i]!;
    if (entry.verdict === before.verdict && !entry.findings.some((each, k) => each !== before.findings[k]))
      continue;
    await writeFindings(entry.file, findingsOf(entry, { checks: CHECKS, digest: entry.digest, version }));
    const isNews = entry.verdict !== before.verdict || entry.reasons.join() !== before.reasons.join();
    if (!options.json && isNews)
      print([
        `${entry.verdict} ${entry.file} within its library`,
        ...entry.reasons.map((each) => `  * ${each}`),
        ...traitLines(entry, traits),
      ]);
  }
  const all = entries.map((entry) => judged.find(({ file }) => file === entry.file) ?? entry);
  if (options.report !== undefined)
    await writeFile(String(options.report), await reportOf(judged, { records, view, all }));
  if (options.json) print([JSON.stringify(all.map(plain), bigintText, 2)]);
  else print([totals(all)]);
  return all.every((entry) => entry.kind === 'checked' && entry.verdict !== 'EXCLUDE') ? 0 : EXCLUDED;
}

function print(...lines: readonly (string | readonly string[])[]): void {
  process.stdout.write(`${lines.flat().join('\n')}\n`);
}

/** What of an episode is everywhere in its library, and therefore counts against none. */
function traitLines({ findings }: Checked, traits: ReadonlySet<string>): string[] {
  const shared = findings.filter(({ id, status }) => status === 'fail' && traits.has(id)).map(({ id }) => id);
  return shared.length === 0 ? [] : [`  not counted, as nearly all episodes share it: ${shared.join(', ')}`];
}

interface ViewOptions {
  readonly traces: ReadonlyMap<string, TraceCollector>;
  readonly contract: Contract | undefined;
  /** Where a plan may lie. */
  readonly folder: string;
}

async function viewOf(
  checked: readonly Checked[],
  { traces, contract, folder }: ViewOptions,
): Promise<LibraryView> {
  const traced = checked.map(({ id, file, digest }) => ({
    id,
    file,
    digest,
    trace: traces.get(file)?.finish(),
  }));
  const takes = await Promise.all(
    checked.map(async ({ file, info }) => {
      const { outcome, decision } = currentLabels(await readLabels(file));
      return {
        info: info ?? { task: 'unknown', operator: 'unknown' },
        outcome: outcome?.label.value,
        decision: decision?.label.value,
      };
    }),
  );
  const known = contract ?? checked.find((each) => each.contract)?.contract;
  return {
    fleet: fleetOf(checked),
    likenesses: nearDuplicates(traced),
    outliers: outliersOf(checked),
    coverage: coverageOf(
      takes,
      known && (await planOf(folder, known)),
      traced.map(({ trace }) => trace),
    ),
  };
}

/** Most libraries have none; one that does not parse is told, and the episodes are checked all the same. */
async function planOf(folder: string, contract: Contract): Promise<CollectionPlan | undefined> {
  const file = join(folder, PLAN_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return await readPlan(file, contract);
  } catch (error) {
    if (!(error instanceof KinescribeError)) throw error;
    process.stderr.write(
      `${error.message}\nThe plan is left out: nothing is said of how far the library is.\n`,
    );
    return undefined;
  }
}

interface ReportOptions {
  readonly records: ReadonlyMap<string, EpisodeRecord>;
  readonly view: LibraryView;
  readonly all: readonly LibraryEntry[];
}

async function reportOf(judged: readonly Checked[], { records, view, all }: ReportOptions): Promise<string> {
  const sections: string[] = [];
  for (const entry of judged) sections.push(await episodeSection(entry, records.get(entry.file)!));
  const list = all.map((entry) => {
    if (entry.kind === 'unreadable')
      return `<tr><td><b class="fail">UNREADABLE</b><td>${escapeHtml(entry.message)}</tr>`;
    const { verdict, id, reasons } = entry;
    return `<tr><td><b class="${verdict}">${verdict}</b><td><a href="#${escapeHtml(id)}">${escapeHtml(id)}</a><td>${reasons.map(escapeHtml).join('<br>')}</tr>`;
  });
  const overview = `<p>${escapeHtml(totals(all))}</p><table><tbody>${list.join('')}</tbody></table>${all.length > 1 ? fleetSection(view) : ''}`;
  const title =
    all.length === 1 ? `Check of ${judged[0]?.id ?? all[0]!.file}` : `Check of ${all.length} episodes`;
  return reportPage({ title, overview, sections });
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
  return calibrationsBeside(files);
}

/** Of a checked episode what a program needs: its contract lies in the recording. */
function plain(entry: LibraryEntry): object {
  if (entry.kind === 'unreadable') return entry;
  const { contract: _, calibration: __, waived, ...rest } = entry;
  return { ...rest, waived: [...waived] };
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
