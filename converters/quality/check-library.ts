import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import { EpisodeError } from '../../schemas/errors.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import type { FindingsFile } from '../../schemas/finding.ts';
import { writeFindings } from '../../schemas/findings-file.ts';
import type { Check } from './check.ts';
import { type CheckedEpisode, checkEpisode } from './check-episode.ts';
import type { Peer } from './episode-facts.ts';
import type { Examiner } from './feed.ts';
import { limitsDigest } from './limits-digest.ts';
import { peerOf } from './peers.ts';

export interface LibraryCheckOptions {
  readonly checks: readonly Check[];
  /** @default the one that each recording carries */
  readonly contract?: Contract | undefined;
  /** By robot, of which rigs are calibrated. */
  readonly calibrationOf?: (robot: string | undefined) => Calibration | undefined;
  /** Version of this program, stored with the findings. */
  readonly version: string;
  /** Sees what the checks see of an episode; made when its first message's time is known. */
  readonly alongside?: (file: string, startTime: bigint) => Pick<Examiner, 'observe'>;
  /** Further episodes of the library, which are not checked. @default none */
  readonly neighbours?: readonly Peer[];
  /** Leaves findings beside each episode. @default true */
  readonly writes?: boolean;
}

/** An episode that was checked, or why it could not be. */
export type LibraryEntry =
  | ({ readonly kind: 'checked'; readonly digest: string } & CheckedEpisode)
  | { readonly kind: 'unreadable'; readonly file: string; readonly message: string };

/** Checks episodes one after another, each against the others. */
export async function* checkLibrary(
  files: readonly string[],
  {
    checks,
    contract,
    calibrationOf,
    version,
    alongside,
    neighbours = [],
    writes = true,
  }: LibraryCheckOptions,
): AsyncGenerator<LibraryEntry> {
  const peers = new Map<string, Peer>();
  const unreadable = new Map<string, string>();
  for (const file of files) {
    try {
      peers.set(file, await peerOf(file, contract));
    } catch (error) {
      if (!(error instanceof EpisodeError)) throw error;
      unreadable.set(file, error.message);
    }
  }
  for (const file of files) {
    const message = unreadable.get(file);
    if (message !== undefined) {
      yield { kind: 'unreadable', file, message };
      continue;
    }
    const others = [...peers].flatMap(([other, peer]) => (other === file ? [] : [peer])).concat(neighbours);
    const [digest, checked] = await Promise.all([
      fileDigest(file),
      checkEpisode(file, {
        ...{ checks, contract, calibrationOf, peers: others },
        ...(alongside && { alongside: (startTime: bigint) => alongside(file, startTime) }),
      }),
    ]);
    if (writes) await writeFindings(file, findingsOf(checked, { checks, digest, version }));
    yield { kind: 'checked', digest, ...checked };
  }
}

/** What is stored beside the episode. */
export function findingsOf(
  { verdict, reasons, findings, contract, calibration }: CheckedEpisode,
  {
    checks,
    digest,
    version,
  }: { readonly checks: readonly Check[]; readonly digest: string; readonly version: string },
): FindingsFile {
  return {
    kinescribe: 1,
    episodeDigest: digest,
    limitsDigest: limitsDigest(checks, contract, calibration),
    version,
    verdict,
    reasons: [...reasons],
    findings: [...findings],
  };
}
