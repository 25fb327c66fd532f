import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** What a program took of the machine, its child processes and all. */
export interface ProgramCost {
  readonly output: string;
  readonly secs: number;
  /** Resident memory of all its processes together, MiB, every tenth of a second. Pages that they share count twice. */
  readonly mebibytes: readonly number[];
}

/** Runs a program to its end and watches its memory by `/proc`. @throws {TypeError} when it fails. */
export async function watchedProgram(program: string, args: readonly string[]): Promise<ProgramCost> {
  const began = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const mebibytes: number[] = [];
  const timer = setInterval(() => mebibytes.push(residentMebibytes(child)), 100);
  const [code] = await once(child, 'close');
  clearInterval(timer);
  if (code !== 0) throw new TypeError(`${program} ${args.join(' ')} ended with code ${code}`);
  return { output, secs: (performance.now() - began) / 1000, mebibytes };
}

function residentMebibytes({ pid }: ChildProcess): number {
  return family(pid!).reduce((sum, each) => sum + residentKibibytes(each), 0) / 1024;
}

/** A process and all that it started; none where it has ended meanwhile. */
function family(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(family)];
  } catch {
    return [];
  }
}

function residentKibibytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
