import { execFile } from 'node:child_process';
import { glob, rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { IS_CLONE, PAGE_DIRECTORY } from './page.ts';

/**
 * Builds the page of a clone unless it is newer than its sources; a published package carries it.
 *
 * @returns whether there is a page now; false without Vite, a development dependency.
 */
export async function ensurePage(): Promise<boolean> {
  const built = await modifiedMillis(new URL('index.html', PAGE_DIRECTORY));
  if (!IS_CLONE) return built > 0;
  if (built > (await newestSource())) return true;
  const vite = viteProgram();
  if (!vite) return built > 0;
  const target = fileURLToPath(PAGE_DIRECTORY).replace(/\/$/, '');
  // Built beside its place and put there whole: two programs may start at once.
  const fresh = `${target}.${process.pid}`;
  const root = fileURLToPath(new URL('web', import.meta.url));
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', root, '--outDir', fresh, '--logLevel', 'warn'],
    { env: { ...process.env, NODE_ENV: 'production' } },
  );
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target).catch(() => rm(fresh, { recursive: true }));
  return true;
}

function viteProgram(): string | undefined {
  try {
    return fileURLToPath(new URL('bin/vite.js', import.meta.resolve('vite/package.json')));
  } catch {
    return undefined; // installed without development dependencies
  }
}

/** The page's sources are its folder and the files of the viewer that it shares with the server. */
async function newestSource(): Promise<number> {
  let newest = 0;
  for await (const name of glob('{web/,}*.{ts,tsx,css,html,svg}', {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })) {
    newest = Math.max(newest, await modifiedMillis(new URL(name, import.meta.url)));
  }
  return newest;
}

/** 0 where there is no such file. */
async function modifiedMillis(file: URL): Promise<number> {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
}
