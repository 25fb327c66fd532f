import { calibrationsBeside } from '../converters/quality/calibrate.ts';
import { checkLibrary, findingsOf, type LibraryEntry } from '../converters/quality/check-library.ts';
import { CHECKS } from '../converters/quality/checks.ts';
import { withLibraryFindings } from '../converters/quality/library/library-findings.ts';
import { type Neighbour, neighbourOf, neighboursOf } from '../converters/quality/library/neighbours.ts';
import { withTaskSmoothness } from '../converters/quality/library/task-smoothness.ts';
import { siblingOf, traitsOf } from '../converters/quality/library/traits.ts';
import { verdictOf } from '../converters/quality/verdict.ts';
import type { Contract } from '../schemas/contract.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import type { Verdict } from '../schemas/finding.ts';
import { readFindings, writeFindings } from '../schemas/findings-file.ts';
import { currentLabels, readLabels } from '../schemas/labels.ts';

/** Which episodes may become a dataset: those without a defect, or those with nothing to look at. */
export type Requirement = 'sound' | 'pass';

export interface JudgedEpisodes {
  readonly kept: readonly string[];
  readonly leftOut: readonly { readonly file: string; readonly verdict: Verdict | 'UNREADABLE' }[];
  /** By digest of the recording. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/** An episode whose findings lie beside it. */
interface CheckedBefore {
  readonly file: string;
  readonly digest: string;
  readonly neighbour: Neighbour;
  readonly waived: readonly string[];
}

/**
 * Leaves out episodes by the findings beside them, waivers heeded; those without findings are checked. As "check"
 * does it, failures that nearly all episodes of the library share exclude none; copies are for "check" to find.
 *
 * @param version of this program, for findings that are made.
 */
export async function judgedEpisodes(
  files: readonly string[],
  {
    require,
    contract,
    version,
  }: { readonly require: Requirement; readonly contract: Contract; readonly version: string },
): Promise<JudgedEpisodes> {
  const before: CheckedBefore[] = [];
  const unchecked: string[] = [];
  for (const file of files) {
    const [digest, stored] = await Promise.all([fileDigest(file), readFindings(file)]);
    if (stored?.episodeDigest !== digest) {
      unchecked.push(file);
      continue;
    }
    const { waivers } = currentLabels(await readLabels(file));
    const waived = waivers.map(({ label }) => label.finding);
    before.push({ file, digest, neighbour: await neighbourOf(file), waived });
  }
  const neighbours = [...(await neighboursOf(files)), ...before.map(({ neighbour }) => neighbour)];
  const calibrations = await calibrationsBeside(unchecked);
  const entries: LibraryEntry[] = [];
  const checking = checkLibrary(unchecked, {
    ...{ checks: CHECKS, contract, version, neighbours: neighbours.map(({ peer }) => peer) },
    calibrationOf: (robot) => calibrations.get(robot ?? ''),
  });
  for await (const entry of checking) entries.push(entry);
  const alone = entries.filter((entry) => entry.kind === 'checked');
  const compared = withTaskSmoothness(alone, neighbours);
  const traits = traitsOf([...compared.map(siblingOf), ...neighbours]);
  const checked = withLibraryFindings(compared, { likenesses: [], outliers: [], traits });

  const verdicts = new Map<string, Verdict>();
  const found = new Map<string, Verdict>();
  for (const { file, digest, neighbour, waived } of before) {
    const verdict = verdictOf(neighbour.findings, new Set([...waived, ...traits]));
    verdicts.set(digest, verdict);
    found.set(file, verdict);
  }
  for (const episode of checked) {
    const { file, digest, verdict } = episode;
    await writeFindings(file, findingsOf(episode, { checks: CHECKS, digest, version }));
    verdicts.set(digest, verdict);
    found.set(file, verdict);
  }
  const isKept = (file: string) => {
    const verdict = found.get(file);
    return require === 'pass' ? verdict === 'PASS' : verdict !== undefined && verdict !== 'EXCLUDE';
  };
  return {
    kept: files.filter(isKept),
    leftOut: files
      .filter((file) => !isKept(file))
      .map((file) => ({ file, verdict: found.get(file) ?? 'UNREADABLE' })),
    verdicts,
  };
}
