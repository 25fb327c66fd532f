import { dirname, resolve } from 'node:path';
import { KinescribeError } from '../../../schemas/errors.ts';
import { readFindings } from '../../../schemas/findings-file.ts';
import { readLibrary } from '../../../schemas/library.ts';
import type { Peer } from '../episode-facts.ts';
import { peerOf } from '../peers.ts';
import type { Sibling } from './traits.ts';

/** So many tell what is usual in a task; each costs a few milliseconds. */
const MOST_NEIGHBOURS = 200;

/** An episode of the same library that is not checked now, and what an earlier check found. */
export interface Neighbour extends Sibling {
  readonly peer: Peer;
}

/**
 * The episodes that lie beside some files, the latest of each folder first: what an episode is held against when it
 * is checked without its library.
 */
export async function neighboursOf(files: readonly string[]): Promise<readonly Neighbour[]> {
  const asked = new Set(files.map((file) => resolve(file)));
  const neighbours: Neighbour[] = [];
  for (const folder of new Set(files.map((file) => dirname(file)))) {
    const { episodes } = await readLibrary(folder);
    const others = episodes.filter((file) => !asked.has(resolve(file)));
    for (const file of others.reverse().slice(0, MOST_NEIGHBOURS)) {
      try {
        neighbours.push(await neighbourOf(file));
      } catch (error) {
        if (!(error instanceof KinescribeError)) throw error; // a damaged neighbour is its own affair
      }
    }
  }
  return neighbours;
}

/** @throws {UsageError | EpisodeError} when the file is no readable episode. */
export async function neighbourOf(file: string): Promise<Neighbour> {
  const [peer, stored] = await Promise.all([peerOf(file), readFindings(file)]);
  return { peer, task: peer.task, findings: stored?.findings ?? [] };
}
