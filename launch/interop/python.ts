import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject, type TestContext } from 'vitest';
import type { Group } from './python-environment.ts';

/** Skips a test, with the reason, where its Python packages are not to be had. */
export function needs(group: Group, { skip }: TestContext): void {
  const reason = inject('python').missing[group];
  skip(reason !== undefined, reason);
}

/** Runs one of the programs beside this file and parses the JSON that it prints. */
export async function readWith(program: string, args: readonly string[]): Promise<unknown> {
  return JSON.parse(await runPython(program, args));
}

/**
 * Runs a program and gives back what it prints.
 *
 * @param program path from this folder.
 * @param imports modules of this folder that it needs without knowing of them.
 */
export async function runPython(
  program: string,
  args: readonly string[],
  { imports = [] }: { readonly imports?: readonly string[] } = {},
): Promise<string> {
  const path = join(import.meta.dirname, program);
  const run = ['import sys, runpy', ...imports.map((name) => `import ${name}`), RUN_PROGRAM].join('\n');
  const { stdout, stderr } = await promisify(execFile)(
    inject('python').python,
    ['-W', 'ignore', '-c', run, path, ...args],
    // More threads than cores that are free cost torch far more than they give.
    {
      maxBuffer: 1 << 28,
      env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: import.meta.dirname },
    },
  );
  if (stderr) console.warn(stderr);
  return stdout;
}

const RUN_PROGRAM = "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')";
