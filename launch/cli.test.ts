import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { main } from './cli.ts';

const root = join(import.meta.dirname, '..');
const CONTRACT = join(root, 'launch/contracts/demo-arm.yaml');
afterEach(() => vi.restoreAllMocks());

/** Runs one command line in this process. */
async function kinescribe(...args: string[]) {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    });
  }
  vi.spyOn(console, 'error').mockImplementation((text) => {
    said.stderr += `${text}\n`;
  });
  return { code: await main(args), ...said };
}

/** Runs the program as a user does. */
async function program(...args: string[]) {
  try {
    const done = await promisify(execFile)(process.execPath, ['launch/bin.js', ...args], { cwd: root });
    return { code: 0, ...done };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe('kinescribe', () => {
  it('--help names every command and the exit codes', async () => {
    const { code, stdout } = await kinescribe('--help');
    expect(code).toBe(0);
    for (const name of [
      'demo',
      'record',
      'info',
      'recover',
      'convert',
      'import',
      'verify',
      'view',
      'play',
      'layout',
      'doctor',
      'contract',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    expect(stdout).toContain('Exit codes');
  });

  it.each([
    'demo',
    'record',
    'info',
    'recover',
    'convert',
    'import',
    'verify',
    'view',
    'play',
    'layout',
    'doctor',
    'contract check',
    'contract init',
  ])('%s --help teaches with examples', async (name) => {
    const { code, stdout } = await kinescribe(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Examples:\n  kinescribe ${name}`);
  });

  // [command line, words of the error]
  it.each([
    [['nonsense'], 'unknown command'],
    [['info', '--nonsense', 'a.mcap'], 'unknown option'],
    [['info'], 'missing required argument'],
    [['info', '/nowhere/a.mcap'], '/nowhere/a.mcap'],
    [['recover', '/nowhere/a.mcap'], '/nowhere/a.mcap'],
    [['convert', '/nowhere'], '/nowhere'],
    [['import', '/nowhere'], '/nowhere'],
    [['verify', '/nowhere'], '/nowhere'],
    [['view', '/nowhere'], '/nowhere'],
    [['contract', 'check', '/nowhere/c.yaml'], '/nowhere/c.yaml'],
    [['record', '-c', '/nowhere/c.yaml'], '/nowhere/c.yaml'],
    [['record'], '--contract'],
    [['demo', '--seed', 'x'], 'must be a number'],
    [['record', '-c', CONTRACT, '-s', 'demo'], '--duration'],
    [['record', '-c', CONTRACT, '-s', 'demo', '-d', '1', '-t', 'x'], 'Task "x"'],
  ])('%j is refused with exit code 2', async (args, words) => {
    const { code, stderr } = await kinescribe(...args);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at '); // no stack for a user's mistake
    expect(code).toBe(2);
  });
});

describe.concurrent('launch/bin.js', () => {
  it('tells what was asked for and ends with 0', async () => {
    const { code, stdout } = await program('--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Exit codes')]);
  });

  it('says in words what was wrong and ends with 2', async () => {
    const { code, stderr } = await program('info', '/nowhere/a.mcap');
    expect([code, stderr]).toEqual([2, expect.stringContaining('/nowhere/a.mcap')]);
    expect(stderr).not.toContain('    at ');
  });

  it('record without ROS says what it needs', async () => {
    const { code, stderr } = await program('record', '-c', CONTRACT, '-d', '1');
    expect(stderr).toMatch(/ROS 2/);
    expect(stderr).toContain('npm install rclnodejs');
    expect(code).toBe(2);
  });
});
