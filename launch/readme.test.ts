import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { COMMANDS } from './commands.ts';
import { FORMATS } from './formats.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('README', () => {
  it('its contract is sound', () => {
    const indented = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    expect(() => parseContract(indented.replace(/^ {3}/gm, ''), 'README.md')).not.toThrow();
  });

  it('names every command and every dataset format', () => {
    for (const { name } of COMMANDS) expect(readme).toContain(`| \`${name}\` |`);
    for (const name of FORMATS.keys()) expect(readme).toContain(`\`${name}\``);
  });

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(4);
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });
});
