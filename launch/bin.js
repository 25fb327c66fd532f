#!/usr/bin/env node
// Plain JavaScript that any Node can parse: an old one is refused in one clear line.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `kinescribe needs Node 22.18 or newer; this is ${process.versions.node}. ` +
      'In a clone, "npm run kinescribe -- <command>" uses the Node that "npm ci" installed.',
  );
  process.exit(2);
}
// Compiling the program takes longer than most commands: what one start has compiled, the next ones, their threads
// and child processes find. It lies in the user's own folder, where nobody else can put what will be run.
const { HOME, XDG_CACHE_HOME = HOME && join(HOME, '.cache') } = process.env;
if (XDG_CACHE_HOME) process.env.NODE_COMPILE_CACHE ??= join(XDG_CACHE_HOME, 'kinescribe');
module.enableCompileCache(process.env.NODE_COMPILE_CACHE); // says so, and no more, where it cannot be written
// A clone runs its TypeScript as it stands; a published package carries JavaScript in dist.
const source = new URL('./cli.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/launch/cli.js', import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
