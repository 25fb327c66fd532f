import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MissingFeatureError } from '../schemas/errors.ts';
import { readRosEnvironment } from './ros-environment.ts';

let prefix: string;
beforeEach(async () => {
  prefix = await mkdtemp(join(tmpdir(), 'ros-'));
  await mkdir(join(prefix, 'lib'));
  await writeFile(join(prefix, 'lib', 'librcl.so'), '');
});
afterEach(() => rm(prefix, { recursive: true }));

describe('readRosEnvironment()', () => {
  it('reads distribution and prefixes of a sourced installation', () => {
    const env = {
      ROS_DISTRO: 'jazzy',
      AMENT_PREFIX_PATH: `/overlay:${prefix}`,
      LD_LIBRARY_PATH: `/overlay/lib:${prefix}/lib`,
    };
    expect(readRosEnvironment(env)).toEqual({ distro: 'jazzy', prefixes: ['/overlay', prefix] });
  });

  it.each([
    ['ROS_DISTRO is missing', { ROS_DISTRO: undefined }, 'ROS_DISTRO'],
    ['no prefix is listed', { AMENT_PREFIX_PATH: '' }, 'AMENT_PREFIX_PATH'],
    ['librcl.so cannot be loaded', { LD_LIBRARY_PATH: '/nowhere' }, 'librcl.so'],
  ])('throws MissingFeatureError with the commands to run when %s', (_, fault, found) => {
    const env = {
      ROS_DISTRO: 'jazzy',
      AMENT_PREFIX_PATH: prefix,
      LD_LIBRARY_PATH: join(prefix, 'lib'),
      ...fault,
    };
    expect(() => readRosEnvironment(env)).toThrow(MissingFeatureError);
    expect(() => readRosEnvironment(env)).toThrow(found);
    expect(() => readRosEnvironment(env)).toThrow(
      /"source \/opt\/ros\/\S+\/setup\.bash".*"npm install rclnodejs"/,
    );
  });
});

describe('openRosSource() without ROS 2', () => {
  it('says what is missing and never touches rclnodejs, whose import deletes its own build', async () => {
    const script = `
      import { registerHooks } from 'node:module';
      const asked = [];
      registerHooks({ resolve: (specifier, context, next) => {
        if (specifier.startsWith('rclnodejs')) asked.push(specifier);
        return next(specifier, context);
      } });
      const { openRosSource } = await import(${JSON.stringify(join(import.meta.dirname, 'ros-source.ts'))});
      const code = await openRosSource().then(() => 'opened', (error) => error.code);
      console.log(JSON.stringify({ code, asked }));`;
    const { ROS_DISTRO: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env },
    );
    expect(JSON.parse(stdout)).toEqual({ code: 'MISSING_FEATURE', asked: [] });
  });
});
