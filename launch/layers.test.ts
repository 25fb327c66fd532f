import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which rooms a room may import, besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  schemas: [],
  recorder: ['schemas'],
  converters: ['schemas'],
  viewer: ['schemas'],
  launch: ['schemas', 'recorder', 'converters', 'viewer'],
};
const root = join(import.meta.dirname, '..');

/** Source files of the house; the browser's page is a world of its own behind its one bundle. */
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => (file.split('/')[0] ?? '') in MAY_IMPORT)
  .filter((file) => !/\.(test|bench|fixture|d)\.ts$|^viewer\/web\/|^launch\/interop\//.test(file));

const importsOf = new Map(files.map((file) => [file, specifiers(readFileSync(join(root, file), 'utf8'))]));

/** Every module specifier of static, re-exporting and dynamic imports, comments left out. */
function specifiers(source: string): readonly string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = /^(?:import\s[^;'"]*|export\s[^;'"]*\sfrom\s*)['"]([^'"\n]+)['"]/gm;
  const calls = /\bimport\(\s*['"]([^'"\n]+)['"]/g;
  return [...code.matchAll(statements), ...code.matchAll(calls)].map((match) => match[1]!);
}

const isOurs = (specifier: string) => specifier.startsWith('.');
const target = (file: string, specifier: string) => normalize(join(dirname(file), specifier));
const roomOf = (file: string) => file.split('/')[0]!;
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

describe('layers', () => {
  it('files are found', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(importsOf.get('schemas/message-codec.ts')).toContain('./errors.ts');
  });

  it('imports point down, never sideways and never through a barrel', () => {
    const faults = [...importsOf].flatMap(([file, imports]) =>
      imports.filter(isOurs).flatMap((specifier) => {
        const imported = target(file, specifier);
        const room = roomOf(imported);
        const allowed = room === roomOf(file) || MAY_IMPORT[roomOf(file)]!.includes(room);
        return allowed && !/(^|\/)index\.ts$/.test(imported) ? [] : [`${file} imports ${imported}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it('there is no import circle', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' → ')];
      if (done.has(file)) return [];
      const circles = (importsOf.get(file) ?? [])
        .filter(isOurs)
        .flatMap((specifier) => visit(target(file, specifier), [...path, file]));
      done.add(file);
      return circles;
    };
    expect(files.flatMap((file) => visit(file, []))).toEqual([]);
  });

  it('each third-party package has one door', () => {
    const doors = new Map<string, Set<string>>();
    for (const [file, imports] of importsOf) {
      for (const specifier of imports.filter((s) => !isOurs(s) && !isBuiltin(s))) {
        const name = packageOf(specifier);
        doors.set(name, (doors.get(name) ?? new Set()).add(file));
      }
    }
    const crowded = [...doors].filter(([, through]) => through.size > 1);
    expect(crowded.map(([name, through]) => `${name}: ${[...through].join(', ')}`)).toEqual([]);
  });

  it('no source file is longer than 400 lines', () => {
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 401);
    expect(long).toEqual([]);
  });

  it('ARCHITECTURE.md names every source file', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const unnamed = files.filter((file) => !text.includes(file.slice(file.lastIndexOf('/') + 1)));
    expect(unnamed).toEqual([]);
  });
});
