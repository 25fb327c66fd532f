import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

/** Whether the program runs from its sources, as in a clone; a published package carries the built page. */
export const IS_CLONE = import.meta.url.endsWith('.ts');

/** Where the built page lies. */
export const PAGE_DIRECTORY = new URL(IS_CLONE ? '../dist/web/' : '../web/', import.meta.url);

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

/** Whether a path is one of the page's screens: one application, which looks at its address. */
export function isScreen(path: string): boolean {
  return path === '/' || path === '/record';
}

/** One file of the built page by its URL path, its index for a screen; undefined where there is none. */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  // Vite names every file by plain words and a digest, so nothing with a dot-dot or an escape is one.
  if (!/^\/(assets\/)?[\w-]*(\.[\w-]+)*$/.test(path)) return undefined;
  const name = isScreen(path) ? 'index.html' : path.slice(1);
  const mediaType = MEDIA_TYPES[extname(name)];
  if (!mediaType) return undefined;
  try {
    return { mediaType, content: await readFile(new URL(name, PAGE_DIRECTORY)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
