import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageSchema } from '../schemas/message.ts';
import { z } from '../schemas/validation.ts';

/** How each of the two forms of interface files is named, delimited and searched for dependencies. */
const FORMS = [
  {
    encoding: 'ros2msg',
    extension: '.msg',
    label: 'MSG',
    /** `foo_msgs/Bar` in `foo_msgs/Bar[] bars`; the expression of rosbag2, so that our texts equal its. */
    dependency: /(?:^|\n)\s*([a-zA-Z0-9_/]+)(?:\[[^\]]*\])?\s+/g,
    /** rosbag2 puts a delimiter before the root only where the definition is IDL. */
    delimitsRoot: false,
  },
  {
    encoding: 'ros2idl',
    extension: '.idl',
    label: 'IDL',
    /** `foo_msgs/msg/Bar` in `#include "foo_msgs/msg/Bar.idl"`. */
    dependency: /(?:^|\n)#include\s+["<]([a-zA-Z0-9_/]+)\.idl[">]/g,
    delimitsRoot: true,
  },
] as const;
type Form = (typeof FORMS)[number];

const PRIMITIVES: ReadonlySet<string> = new Set(
  (
    'bool byte char float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64 ' + 'string wstring'
  ).split(' '),
);
const DELIMITER = '='.repeat(80);

/** Reads the definition file `std_msgs/msg/Header.msg`; undefined where there is none. */
export type ReadDefinitionFile = (path: string) => Promise<string | undefined>;

/**
 * Gathers a message type's definition with all its dependencies from the share folders of ROS 2 packages.
 *
 * @param type such as `sensor_msgs/msg/JointState`.
 * @param prefixes install folders in order of precedence, as AMENT_PREFIX_PATH lists them.
 * @returns undefined where the type or one of its dependencies has no file.
 */
export function loadDefinition(
  type: string,
  prefixes: readonly string[],
): Promise<MessageSchema | undefined> {
  return gatherDefinition(type, (path) => readShared(path, prefixes));
}

/** What of a type's installed description is read; ROS 2 writes it since Iron (REP 2016). */
const describedSchema = z.object({
  type_hashes: z.array(z.object({ type_name: z.string(), hash_string: z.string() })),
});

/** The hash of a type as it is installed, `RIHS01_…`; undefined where it is not, and before ROS 2 Iron. */
export async function loadTypeHash(type: string, prefixes: readonly string[]): Promise<string | undefined> {
  const text = await readShared(`${type}.json`, prefixes);
  if (text === undefined) return undefined;
  try {
    const { type_hashes: hashes } = describedSchema.parse(JSON.parse(text));
    return hashes.find(({ type_name: name }) => name === type)?.hash_string;
  } catch {
    return undefined; // of another form: it tells nothing, which is no reason not to record
  }
}

/**
 * Gathers a message type's definition with all its dependencies in the text that rosbag2 writes: the type
 * itself, then each dependency once behind a delimiter.
 *
 * @returns undefined where the type or one of its dependencies has no file.
 */
export async function gatherDefinition(
  type: string,
  read: ReadDefinitionFile,
): Promise<MessageSchema | undefined> {
  for (const form of FORMS) {
    const text = await gather(type, form, read, new Set());
    if (text === undefined) continue;
    const root = form.delimitsRoot ? `${delimiter(form, type)}${text}` : text;
    return { name: type, encoding: form.encoding, data: new TextEncoder().encode(root) };
  }
  return undefined;
}

async function gather(
  type: string,
  form: Form,
  read: ReadDefinitionFile,
  seen: Set<string>,
): Promise<string | undefined> {
  const path = pathOf(type, form);
  const file = path === undefined ? undefined : await read(path);
  if (file === undefined) return undefined;
  let text = file;
  for (const dependency of dependenciesOf(file, form, type.split('/')[0]!)) {
    if (seen.has(dependency)) continue;
    seen.add(dependency);
    const rest = await gather(dependency, form, read, seen);
    if (rest === undefined) return undefined;
    text += `\n${delimiter(form, dependency)}${rest}`;
  }
  return text;
}

function delimiter({ label }: Form, type: string): string {
  return `${DELIMITER}\n${label}: ${type}\n`;
}

/** Sorted as rosbag2 sorts them. */
function dependenciesOf(text: string, { dependency }: Form, packageName: string): readonly string[] {
  const names = [...text.matchAll(dependency)]
    .map((match) => match[1]!)
    .filter((name) => !PRIMITIVES.has(name))
    .map((name) => (name.includes('/') ? name : `${packageName}/${name}`));
  return [...new Set(names)].sort();
}

function pathOf(type: string, { extension }: Form): string | undefined {
  const [, packageName, name] = /^(\w+)\/(?:msg\/)?(\w+)$/.exec(type) ?? [];
  return name === undefined ? undefined : `${packageName}/msg/${name}${extension}`;
}

async function readShared(path: string, prefixes: readonly string[]): Promise<string | undefined> {
  for (const prefix of prefixes) {
    try {
      return await readFile(join(prefix, 'share', path), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
