/**
 * The worker script beside a module: TypeScript in a clone, JavaScript in the published package.
 *
 * @param moduleUrl the module's own `import.meta.url`.
 * @param name the script's file name without its ending.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  const ending = /\.[jt]s$/.exec(moduleUrl)?.[0] ?? '.js';
  return new URL(`./${name}${ending}`, moduleUrl);
}
