import { checkLibrary } from '../converters/quality/check-library.ts';
import { CHECKS } from '../converters/quality/checks.ts';
import { verdictOf } from '../converters/quality/verdict.ts';
import type { Contract } from '../schemas/contract.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import type { Verdict } from '../schemas/finding.ts';
import { readFindings } from '../schemas/findings-file.ts';
import { currentLabels, readLabels } from '../schemas/labels.ts';

/** Which episodes may become a dataset: those without a defect, or those with nothing to look at. */
export type Requirement = 'sound' | 'pass';

export interface JudgedEpisodes {
  readonly kept: readonly string[];
  readonly leftOut: readonly { readonly file: string; readonly verdict: Verdict | 'UNREADABLE' }[];
  /** By digest of the recording. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/**
 * Leaves out episodes by the findings beside them, waivers heeded. Those without findings are checked.
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
  const verdicts = new Map<string, Verdict>();
  const found = new Map<string, Verdict | 'UNREADABLE'>();
  const unchecked: string[] = [];
  for (const file of files) {
    const [digest, stored] = await Promise.all([fileDigest(file), readFindings(file)]);
    if (stored?.episodeDigest !== digest) {
      unchecked.push(file);
      continue;
    }
    const { waivers } = currentLabels(await readLabels(file));
    const verdict = verdictOf(stored.findings, new Set(waivers.map(({ label }) => label.finding)));
    verdicts.set(digest, verdict);
    found.set(file, verdict);
  }
  for await (const entry of checkLibrary(unchecked, { checks: CHECKS, contract, version })) {
    found.set(entry.file, entry.kind === 'checked' ? entry.verdict : 'UNREADABLE');
    if (entry.kind === 'checked') verdicts.set(entry.digest, entry.verdict);
  }
  const isKept = (verdict: Verdict | 'UNREADABLE') =>
    require === 'pass' ? verdict === 'PASS' : verdict !== 'EXCLUDE' && verdict !== 'UNREADABLE';
  const kept = files.filter((file) => isKept(found.get(file)!));
  const leftOut = files.flatMap((file) => {
    const verdict = found.get(file)!;
    return isKept(verdict) ? [] : [{ file, verdict }];
  });
  return { kept, leftOut, verdicts };
}
