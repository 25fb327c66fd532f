import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readContract } from '../schemas/contract-file.ts';

const folder = join(import.meta.dirname, 'contracts');

it.each(readdirSync(folder))('example contract %s is sound', async (name) => {
  const { contract } = await readContract(join(folder, name));
  expect(`${contract.name}.yaml`).toBe(name);
  expect(Object.keys(contract.features)).toContainEqual(expect.stringMatching(/^action/));
});
