import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checksMarkdown, EXPLAINED, explanationLines } from './explain.ts';

const TABLE = join(import.meta.dirname, '../../converters/quality/checks.md');

describe('explain', () => {
  it('the table of all checks is the one in checks.md; "kinescribe explain --markdown" makes it anew', () => {
    expect(readFileSync(TABLE, 'utf8')).toBe(checksMarkdown());
  });

  it('every check has an id of its own and says all there is to say', () => {
    expect(new Set(EXPLAINED.map(({ id }) => id)).size).toBe(EXPLAINED.length);
    for (const check of EXPLAINED) {
      for (const text of Object.values(check.explain)) expect(text.length, check.id).toBeGreaterThan(2);
      expect(explanationLines(check)[0]).toBe(`${check.id} ${check.title}`);
    }
  });
});
