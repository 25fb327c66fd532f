import { rename, rm, stat } from 'node:fs/promises';
import { EPISODE_SUFFIX, PART_SUFFIX } from './episode.ts';
import { FileBytes } from './file-bytes.ts';
import { readLibrary } from './library.ts';
import { isOwnerAlive, OWNER_RECORD } from './part-owner.ts';
import { type RecoveryReport, recoverEpisode } from './recovery.ts';
import { pieces } from './recovery-scan.ts';

/** What became of one unfinished episode. */
export type Repair =
  /** Another process is still writing it. */
  | { readonly kind: 'busy'; readonly part: string }
  | { readonly kind: 'recovered'; readonly episode: string; readonly report: RecoveryReport }
  /** It held no message, or its episode is there already. */
  | { readonly kind: 'put-aside'; readonly damaged: string };

/** Name of an original that recovery could not read completely; no command takes it for an episode. */
export const DAMAGED_SUFFIX = '.mcap.damaged';

/** A part without a name of its writer may have been created this moment. */
const FRESH_MILLIS = 10_000;

/**
 * Turns the unfinished episodes that a crash has left in a folder into episodes. What another process is
 * writing stays as it is. An original with places that could not be read is kept under
 * {@link DAMAGED_SUFFIX}; one that was read completely is removed.
 *
 * @throws {UsageError} when the folder cannot be read.
 * @throws {RecordError} when an episode cannot be written.
 */
export async function repairLibrary(directory: string): Promise<readonly Repair[]> {
  const { unfinished, episodes } = await readLibrary(directory);
  const repairs: Repair[] = [];
  for (const part of unfinished) repairs.push(await repair(part, new Set(episodes)));
  return repairs;
}

async function repair(part: string, episodes: ReadonlySet<string>): Promise<Repair> {
  if (await isBusy(part)) return { kind: 'busy', part };
  const name = part.slice(0, -PART_SUFFIX.length);
  const episode = name + EPISODE_SUFFIX;
  const damaged = name + DAMAGED_SUFFIX;
  // An episode of this name is there when a repair was killed before it had removed the part.
  const report = episodes.has(episode) ? undefined : await recoverEpisode(part, episode);
  if (report && report.result !== 'nothing') {
    if (report.damages.length === 0) await rm(part);
    else await rename(part, damaged);
    return { kind: 'recovered', episode, report };
  }
  await rename(part, damaged);
  return { kind: 'put-aside', damaged };
}

async function isBusy(part: string): Promise<boolean> {
  const file = await FileBytes.open(part);
  try {
    for await (const piece of pieces(file)) {
      if (piece.kind === 'metadata' && piece.name === OWNER_RECORD) return await isOwnerAlive(piece.fields);
      break;
    }
  } finally {
    await file.close();
  }
  const { mtimeMs } = await stat(part);
  return Date.now() - mtimeMs < FRESH_MILLIS;
}
