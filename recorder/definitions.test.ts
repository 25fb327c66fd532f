import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEncoder } from '../schemas/message-codec.ts';
import { loadDefinition, loadTypeHash } from './definitions.ts';

const LINE = '='.repeat(80);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'definitions-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes interface files, by path below the folder. */
async function install(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function text(type: string, ...prefixes: readonly string[]): Promise<string | undefined> {
  const schema = await loadDefinition(
    type,
    prefixes.map((prefix) => join(folder, prefix)),
  );
  return schema && new TextDecoder().decode(schema.data);
}

describe('loadDefinition()', () => {
  it('appends each dependency once, sorted, each before its own dependencies', async () => {
    await install({
      'ros/share/arm_msgs/msg/Arm.msg':
        '# which arm\nuint8 LEFT=0\nstring<=8 side\nTouch[] touches\nfloat64[7] pose\nstd_msgs/Header header\nTouch last\n',
      'ros/share/arm_msgs/msg/Touch.msg': 'std_msgs/Header header\n\nfloat64 force\nwstring note',
      'ros/share/std_msgs/msg/Header.msg': 'builtin_interfaces/Time stamp\nstring frame_id\n',
      'ros/share/builtin_interfaces/msg/Time.msg': 'int32 sec\nuint32 nanosec\n',
    });
    const definition = await text('arm_msgs/msg/Arm', 'ros');
    const parts = definition!.split(`\n${LINE}\n`);
    expect(parts.map((part) => part.split('\n')[0])).toEqual([
      '# which arm',
      'MSG: arm_msgs/Touch',
      'MSG: std_msgs/Header',
      'MSG: builtin_interfaces/Time',
    ]);
    expect(parts[1]).toBe('MSG: arm_msgs/Touch\nstd_msgs/Header header\n\nfloat64 force\nwstring note');
  });

  it('gives a definition that messages can be written with', async () => {
    await install({
      'ros/share/a/msg/Outer.msg': 'Inner inner\n',
      'ros/share/a/msg/Inner.msg': 'uint8 value\n',
    });
    const schema = await loadDefinition('a/msg/Outer', [join(folder, 'ros')]);
    expect(schema).toMatchObject({ name: 'a/msg/Outer', encoding: 'ros2msg' });
    expect(createEncoder('/a', schema!)({ inner: { value: 7 } })).toEqual(Uint8Array.of(0, 1, 0, 0, 7));
  });

  it('prefers the overlay', async () => {
    await install({
      'overlay/share/a/msg/A.msg': 'uint8 newer\n',
      'ros/share/a/msg/A.msg': 'uint8 older\n',
    });
    expect(await text('a/msg/A', 'overlay', 'ros')).toBe('uint8 newer\n');
  });

  it('falls back to IDL as a whole when a .msg file is missing', async () => {
    await install({
      'ros/share/a/msg/A.msg': 'b/B b\n',
      'ros/share/a/msg/A.idl': '#include "b/msg/B.idl"\nmodule a {};\n',
      'ros/share/b/msg/B.idl': 'module b {};\n',
    });
    expect(await text('a/msg/A', 'ros')).toBe(
      `${LINE}\nIDL: a/msg/A\n#include "b/msg/B.idl"\nmodule a {};\n\n${LINE}\nIDL: b/msg/B\nmodule b {};\n`,
    );
    expect((await loadDefinition('a/msg/A', [join(folder, 'ros')]))!.encoding).toBe('ros2idl');
  });

  it.each([
    ['the type has no file', 'a/msg/Missing'],
    ['a dependency has no file', 'a/msg/Broken'],
    ['it is no message type', 'a/action/Go_FeedbackMessage'],
    ['the name leads out of the folder', 'a/../../secret'],
  ])('gives undefined when %s', async (_, type) => {
    await install({ 'ros/share/a/msg/Broken.msg': 'b/Nothing nothing\n', 'secret.msg': 'uint8 x\n' });
    expect(await loadDefinition(type, [join(folder, 'ros')])).toBeUndefined();
  });
});

describe('loadTypeHash()', () => {
  it('tells the hash of the first prefix that has the type, and none where nobody wrote it down', async () => {
    const hashes = (hash: string) =>
      JSON.stringify({
        type_hashes: [
          { type_name: 'std_msgs/msg/Header', hash_string: 'RIHS01_00' },
          { type_name: 'arm_msgs/msg/Arm', hash_string: hash },
        ],
      });
    await install({
      'overlay/share/arm_msgs/msg/Arm.json': hashes('RIHS01_01'),
      'ros/share/arm_msgs/msg/Arm.json': hashes('RIHS01_02'),
      'ros/share/arm_msgs/msg/Hand.json': '{"type_hashes": 1}',
    });
    const prefixes = ['overlay', 'ros'].map((prefix) => join(folder, prefix));
    const types = ['Arm', 'Hand', 'Foot'].map((name) => `arm_msgs/msg/${name}`);
    expect(await Promise.all(types.map((type) => loadTypeHash(type, prefixes)))).toEqual([
      'RIHS01_01',
      undefined,
      undefined,
    ]);
  });
});
