import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import type { Elements } from './frame.ts';
import { ElementFile, readElements } from './stored-elements.ts';

test.each<[string, readonly Elements[]]>([
  ['float64', [Float64Array.of(1.1, Number.NaN), Float64Array.of(3, -4), Float64Array.of(5, 6)]],
  ['float32', [Float32Array.of(1.5, Number.NaN), Float32Array.of(3, -4), Float32Array.of(5, 6)]],
  ['uint16', [Uint16Array.of(0, 65_535), Uint16Array.of(3, 4), Uint16Array.of(5, 6)]],
])('readElements() gives any rows of %s as they were added', async (type, rows) => {
  await using folder = await temporaryFolder();
  const file = new ElementFile(join(folder.path, 'maps.bin'));
  expect(file.all()).toBeUndefined();
  for (const row of rows) {
    // The memory of a row is used again, and the row may lie anywhere in it.
    const reused = new (row.constructor as Float64ArrayConstructor)([7, ...row]).subarray(1);
    file.add(reused);
    reused.fill(9);
  }
  const stored = file.all()!;
  const bytes = 6 * rows[0]!.BYTES_PER_ELEMENT;
  expect(stored).toEqual({ file: 'maps.bin', type, width: 2, bytes });
  expect(readElements(folder.path, stored, { from: 1, to: 2 })).toEqual(rows[1]);
  const all = readElements(folder.path, stored, { from: 0, to: 3 });
  expect([...all]).toEqual(rows.flatMap((row) => [...row]));
  await truncate(join(folder.path, 'maps.bin'), bytes - 1);
  expect(() => readElements(folder.path, stored, { from: 2, to: 3 })).toThrow(/ends before byte/);
});
