import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Runs the program as a user does. */
async function kinescribe(...args: string[]) {
  try {
    const done = await promisify(execFile)(process.execPath, ['launch/bin.js', ...args], { cwd: root });
    return { code: 0, ...done };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe.concurrent('kinescribe', () => {
  it('--help names every command and the exit codes', async () => {
    const { code, stdout } = await kinescribe('--help');
    expect(code).toBe(0);
    for (const name of [
      'demo',
      'record',
      'info',
      'recover',
      'convert',
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
    [['verify', '/nowhere'], '/nowhere'],
    [['view', '/nowhere'], '/nowhere'],
    [['contract', 'check', '/nowhere/c.yaml'], '/nowhere/c.yaml'],
    [['record', '-c', '/nowhere/c.yaml'], '/nowhere/c.yaml'],
    [['record'], '--contract'],
    [['demo', '--seed', 'x'], 'must be a number'],
    [['record', '-c', 'launch/contracts/demo-arm.yaml', '-s', 'demo'], '--duration'],
    [['record', '-c', 'launch/contracts/demo-arm.yaml', '-s', 'demo', '-d', '1', '-t', 'x'], 'Task "x"'],
  ])('%j is refused with exit code 2', async (args, words) => {
    const { code, stderr } = await kinescribe(...args);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at '); // no stack for a user's mistake
    expect(code).toBe(2);
  });

  it('record without ROS says what it needs', async () => {
    const { code, stderr } = await kinescribe('record', '-c', 'launch/contracts/demo-arm.yaml', '-d', '1');
    expect(stderr).toMatch(/ROS 2/);
    expect(stderr).toContain('npm install rclnodejs');
    expect(code).toBe(2);
  });
});
