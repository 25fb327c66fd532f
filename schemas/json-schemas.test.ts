import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { JSON_SCHEMAS } from './json-schemas.ts';

it.each([...JSON_SCHEMAS])('json/%s equals the types; "npm run schemas" makes it anew', (name, text) => {
  expect(readFileSync(new URL(`./json/${name}`, import.meta.url), 'utf8')).toBe(text);
});
