import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The version in the nearest package.json above: the clone's root, or the published package's. */
export async function programVersion(): Promise<string> {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    try {
      const text = await readFile(join(folder, 'package.json'), 'utf8');
      return String((JSON.parse(text) as { version: unknown }).version);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}
