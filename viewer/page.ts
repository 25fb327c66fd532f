import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the built page lies, as a folder URL: beside this file's sources, or inside a published `dist`. */
export const PAGE_DIRECTORY = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/web/' : '../web/',
  import.meta.url,
);

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageFile {
  readonly mediaType: string;
  readonly content: Uint8Array;
}

/** One file of the built page by its URL path, `/` being its index; undefined where there is none. */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  // Vite names every file by plain words and a digest, so nothing with a dot-dot or an escape is one.
  if (!/^\/(assets\/)?[\w-]*(\.[\w-]+)*$/.test(path)) return undefined;
  const name = path === '/' ? 'index.html' : path.slice(1);
  const mediaType = MEDIA_TYPES[extname(name)];
  if (!mediaType) return undefined;
  try {
    return { mediaType, content: await readFile(new URL(name, PAGE_DIRECTORY)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Builds the page of a clone where that was not done yet. A published package carries it.
 *
 * @returns whether there is a page now; false without Vite, a development dependency.
 */
export async function ensurePage(): Promise<boolean> {
  if (await pageFile('/')) return true;
  const root = fileURLToPath(new URL('./web', import.meta.url));
  try {
    const { build } = await import('vite');
    await build({ root, configFile: `${root}/vite.config.ts`, logLevel: 'warn' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
  return true;
}
