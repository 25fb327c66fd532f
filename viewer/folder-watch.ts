import { watch } from 'node:fs';
import { EPISODE_SUFFIX, LABELS_SUFFIX } from '../schemas/episode.ts';
import { FINDINGS_SUFFIX } from '../schemas/finding.ts';

const SUFFIXES = [LABELS_SUFFIX, FINDINGS_SUFFIX, EPISODE_SUFFIX];

/**
 * Calls back with the name of each episode that appears, goes, or of which something new is said. Changes by
 * other machines on a shared disk are not told by every file system.
 *
 * @returns the end of it.
 */
export function watchFolder(directory: string, changed: (episodeName: string) => void): () => void {
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      const suffix = SUFFIXES.find((each) => name?.endsWith(each));
      if (name && suffix) changed(name.slice(0, -suffix.length));
    });
    watcher.on('error', () => watcher.close()); // the folder has gone
    return () => watcher.close();
  } catch {
    return () => {}; // more folders than the system lets one watch
  }
}
