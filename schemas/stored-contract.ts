import { type ContractFile, parseContract } from './contract-file.ts';
import { CONTRACT_ATTACHMENT } from './episode.ts';
import type { EpisodeReader } from './episode-reader.ts';

/**
 * The contract that a recording carries; undefined for recordings without one.
 *
 * @throws {ContractError} when the stored text is no contract of this version.
 */
export async function storedContract(reader: EpisodeReader): Promise<ContractFile | undefined> {
  for await (const { name, data } of reader.attachments()) {
    if (name === CONTRACT_ATTACHMENT) {
      return parseContract(new TextDecoder().decode(data), `${reader.file}:${name}`);
    }
  }
  return undefined;
}
