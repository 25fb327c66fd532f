#!/usr/bin/env node
// Plain JavaScript that any Node can parse: an old one is refused in one clear line.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `kinescribe needs Node 22.18 or newer; this is ${process.versions.node}. ` +
      'In a clone, "npm run kinescribe -- <command>" uses the Node that "npm ci" installed.',
  );
  process.exit(2);
}
// A clone runs its TypeScript as it stands; a published package carries JavaScript in dist.
const source = new URL('./cli.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/launch/cli.js', import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
