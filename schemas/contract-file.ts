import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Contract, contractSchema } from './contract.ts';
import { ContractError, UsageError } from './errors.ts';
import { parseYaml } from './yaml-document.ts';

/** A checked contract with the text it came from; the text goes into every episode. */
export interface ContractFile {
  readonly contract: Contract;
  readonly text: string;
  /** `sha256:` and the hex digest of the text. */
  readonly digest: string;
}

/**
 * Reads and checks a contract.
 *
 * @throws {UsageError} when the file cannot be read.
 * @throws {ContractError} with every broken rule, each at its line.
 */
export async function readContract(file: string): Promise<ContractFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(
      `Cannot read contract "${file}": ${(cause as Error).message}. Give the path of a contract file.`,
      { cause },
    );
  }
  return parseContract(text, file);
}

/**
 * Checks a contract's text; `file` is only named in errors.
 *
 * @throws {ContractError} with every broken rule, each at its line.
 */
export function parseContract(text: string, file: string): ContractFile {
  const contract = parseYaml(text, {
    file,
    schema: contractSchema,
    fault: (issues) => new ContractError(issues),
  });
  return { contract, text, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}
