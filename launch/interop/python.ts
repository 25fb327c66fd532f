import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { inject, type TestContext } from 'vitest';
import type { Group, PythonEnvironment } from './python-environment.ts';

/** Skips a test, with the reason, where its Python packages are not to be had. */
export function needs(group: Group, { skip }: TestContext): void {
  const reason = inject('python').missing[group];
  skip(reason !== undefined, reason);
}

/** Runs one of the programs beside this file and parses the JSON that it prints. */
export async function readWith(program: string, args: readonly string[]): Promise<unknown> {
  return JSON.parse(await pythonRunner(inject('python'))(program, args));
}

/**
 * Runs programs, given by their paths from this folder, and gives back what they print.
 *
 * @param imports modules of this folder that a program needs without knowing of them.
 */
export function pythonRunner({ python }: PythonEnvironment, imports: readonly string[] = []) {
  const start = ['import sys, runpy', ...imports.map((name) => `import ${name}`), RUN_PROGRAM].join('\n');
  return async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(
      python,
      ['-W', 'ignore', '-c', start, join(import.meta.dirname, program), ...args],
      {
        maxBuffer: 1 << 28,
        // More threads than cores that are free cost torch far more than they give.
        env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: PYTHON_PATH, PYTHONDONTWRITEBYTECODE: '1' },
      },
    );
    if (stderr) console.warn(stderr);
    return stdout;
  };
}

/** The programs import each other, and the published examples. */
const PYTHON_PATH = [import.meta.dirname, join(import.meta.dirname, '../examples')].join(delimiter);

const RUN_PROGRAM = "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')";
