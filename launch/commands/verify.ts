import { verifyDataset } from '../../converters/verify.ts';
import { type AgainstOptions, type Coverage, verifyAgainst } from '../../converters/verify-against.ts';
import { readContract } from '../../schemas/contract-file.ts';
import { episodesAt } from '../../schemas/library.ts';
import { FORMATS } from '../formats.ts';

export interface VerifyOptions {
  /** For programs. @default false */
  readonly json?: boolean;
  /** Recordings and libraries that the datasets must agree with. @default not compared */
  readonly against?: readonly string[];
  /** File of the contract, where no recording carries it. */
  readonly contract?: string;
  /** Frames of each episode whose pictures are compared. */
  readonly pictures?: number;
  /** Another seed compares other pictures. */
  readonly seed?: number;
}

/**
 * `kinescribe verify`: reads datasets back and names every fault.
 *
 * @returns 0 when all are sound, 3 when there are faults.
 */
export async function verify(
  directories: readonly string[],
  { json = false, against, contract, ...sampling }: VerifyOptions = {},
): Promise<number> {
  const truth: AgainstOptions | undefined = against && {
    recordings: await episodesAt(against),
    ...(contract !== undefined && { contract: await readContract(contract) }),
    ...sampling,
  };
  const reports: { directory: string; faults: readonly string[]; compared?: Coverage }[] = [];
  for (const directory of directories) {
    const { manifest, faults: own } = await verifyDataset(directory, FORMATS);
    const format = FORMATS.get(manifest?.format ?? '');
    const compares = truth && manifest && format;
    const comparison = compares && (await verifyAgainst(directory, { manifest, format }, truth));
    const faults = [...own, ...(comparison?.faults ?? [])];
    reports.push({ directory, faults, ...(comparison && { compared: comparison.coverage }) });
    if (json) continue;
    for (const fault of faults) console.log(`  FAULT ${fault}`);
    if (manifest && comparison) {
      for (const line of coverageLines(comparison.coverage, manifest.episodes.length)) console.log(line);
    }
    const what = manifest
      ? `${manifest.format}, ${manifest.episodes.length} episodes, ${manifest.frames} frames, ${manifest.files.length} files`
      : 'no manifest';
    const verdict =
      faults.length === 0 ? 'sound' : `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`;
    console.log(`${directory}: ${verdict} (${what})`);
  }
  if (json) console.log(JSON.stringify(reports, undefined, 2));
  return reports.some(({ faults }) => faults.length > 0) ? 3 : 0;
}

/** What was held against the recordings, and what was not. */
function coverageLines(coverage: Coverage, episodes: number): string[] {
  const { numbers, texts, pictures, picturesWithoutSource, picturesInAll, features } = coverage;
  const left = [
    ...(coverage.episodes < episodes ? [`${episodes - coverage.episodes} episodes`] : []),
    ...(picturesInAll > 0
      ? [`pictures of other frames than those (there are ${picturesInAll}; --pictures)`]
      : []),
    ...(picturesWithoutSource > 0 ? [`${picturesWithoutSource} masked pictures and goals among those`] : []),
    ...(features ? [] : ['ages, masks and statistics in the manifest, which are of all episodes']),
    "what only the format's own loader needs: indices, splits, statistics files",
  ];
  return [
    `  compared with the recordings: ${coverage.episodes} of ${episodes} episodes, ${numbers} numbers, ${texts} texts, ` +
      `${pictures} pictures${features ? ', the manifest' : ''}`,
    `  not compared: ${left.join('; ')}`,
  ];
}
