import { readFile, rename, writeFile } from 'node:fs/promises';
import { EPISODE_SUFFIX } from './episode.ts';
import { FINDINGS_SUFFIX, type FindingsFile, findingsFileSchema } from './finding.ts';
import { z } from './validation.ts';

/** Where the findings of an episode lie. */
export function findingsFileOf(episodeFile: string): string {
  const base = episodeFile.endsWith(EPISODE_SUFFIX)
    ? episodeFile.slice(0, -EPISODE_SUFFIX.length)
    : episodeFile;
  return base + FINDINGS_SUFFIX;
}

/** Puts findings beside their episode, in place of earlier ones. */
export async function writeFindings(episodeFile: string, findings: FindingsFile): Promise<string> {
  const file = findingsFileOf(episodeFile);
  const part = `${file}.part`;
  await writeFile(part, `${JSON.stringify(z.encode(findingsFileSchema, findings), null, 1)}\n`);
  await rename(part, file);
  return file;
}

/** Findings that an earlier check left; undefined where there are none, or none that this version reads. */
export async function readFindings(episodeFile: string): Promise<FindingsFile | undefined> {
  try {
    return findingsFileSchema.parse(JSON.parse(await readFile(findingsFileOf(episodeFile), 'utf8')));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined; // made again by a check
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
