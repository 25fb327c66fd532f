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
  const { stdout, stderr } = await promisify(execFile)(
    inject('python').python,
    ['-W', 'ignore', join(import.meta.dirname, program), ...args],
    // More threads than cores that are free cost torch far more than they give.
    { maxBuffer: 1 << 28, env: { ...process.env, OMP_NUM_THREADS: '1' } },
  );
  if (stderr) console.warn(stderr);
  return JSON.parse(stdout);
}
