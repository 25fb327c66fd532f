import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Example, makeExample, makeGaitExample } from './example.ts';
import { type PythonEnvironment, preparePython } from './python-environment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    python: PythonEnvironment;
    /** Two takes of the simulated robot. */
    example: Example;
    /** A recording of a real robot; null where it does not lie beside the clone. */
    gait: Example | null;
  }
}

/** Makes what all files share: the Python environment, and datasets with the frames they were made of. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = join(import.meta.dirname, '../..');
  const directory = await mkdtemp(join(tmpdir(), 'kinescribe-interop-'));
  project.provide('python', await preparePython(join(root, '.venv')));
  project.provide('example', await makeExample(join(directory, 'example')));
  project.provide('gait', await makeGaitExample(join(directory, 'gait'), join(root, '../shared/data')));
  return () => rm(directory, { recursive: true, force: true });
}
