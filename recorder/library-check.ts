import { basename } from 'node:path';
import { contractDifferences } from '../schemas/contract-difference.ts';
import type { ContractFile } from '../schemas/contract-file.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { UsageError } from '../schemas/errors.ts';
import { openLibrary } from '../schemas/library.ts';
import { storedContract } from '../schemas/stored-contract.ts';

/**
 * Refuses to go on in a library whose last episode was recorded under another contract of the same name:
 * its episodes would not make one dataset.
 *
 * @throws {UsageError} with every difference.
 */
export async function checkLibrary(directory: string, { contract, digest }: ContractFile): Promise<void> {
  const { episodes } = await openLibrary(directory);
  const last = episodes.findLast((file) => basename(file).startsWith(`${contract.name}-`));
  if (!last) return;
  await using reader = await EpisodeReader.open(last);
  const stored = await storedContract(reader);
  if (!stored || stored.digest === digest) return;
  const differences = contractDifferences(stored.contract, contract);
  if (differences.length === 0) return;
  throw new UsageError(
    `Cannot record into "${directory}": its last episode "${last}" has another contract "${contract.name}":\n` +
      `${differences.map((line) => `  ${line}`).join('\n')}\n` +
      'Record into another folder, give the contract another name, or say --changed-contract.',
  );
}
