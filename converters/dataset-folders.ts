import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContractFile } from '../schemas/contract-file.ts';
import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { UsageError } from '../schemas/errors.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { readManifest } from './manifest.ts';

/** Where a dataset lies, where it is written, and where the one before it waits for the moment of exchange. */
interface Places {
  readonly target: string;
  readonly part: string;
  readonly old: string;
}

/** The folders of the datasets that one conversion writes. */
export class DatasetFolders {
  readonly #places: readonly Places[];

  constructor(directory: string, formats: readonly DatasetFormat[]) {
    this.#places = formats.map(({ name }) => ({
      target: join(directory, name),
      part: join(directory, `${name}.part`),
      old: join(directory, `${name}.old`),
    }));
  }

  /** @throws {UsageError} when one of the datasets exists. */
  async refuseExisting(): Promise<void> {
    for (const { target, old } of this.#places) {
      if (!(await exists(target)) && !(await exists(old))) continue;
      throw new UsageError(
        `Cannot write dataset "${target}": it exists already, and datasets are never written over. ` +
          'Choose another folder, remove it, or add episodes to it with --append.',
      );
    }
  }

  /**
   * The episodes of the datasets that exist, in their order. Where one lacks what another has, because an
   * exchange was cut off or a format is new, it will get it.
   *
   * @throws {UsageError} when one is of another contract.
   */
  async existingEpisodes(contract: ContractFile): Promise<readonly ManifestEpisode[]> {
    const episodes = new Map<string, ManifestEpisode>();
    for (const { target, old } of this.#places) {
      if (!(await exists(target)) && (await exists(old))) await rename(old, target); // an exchange was cut off
      if (!(await exists(target))) continue;
      const read = await readManifest(target);
      if (!read.manifest) throw refusal(target, read.fault);
      const { manifest } = read;
      if (manifest.contract.digest !== contract.digest) {
        throw refusal(
          target,
          `it was made under another version of the contract (${manifest.contract.digest}), now it is ${contract.digest}. ` +
            'Use that contract, or convert all episodes into another folder.',
        );
      }
      for (const episode of manifest.episodes) episodes.set(episode.id, episodes.get(episode.id) ?? episode);
    }
    return [...episodes.values()];
  }

  /** Makes the folders to write into, empty. */
  async create(): Promise<readonly string[]> {
    for (const { part } of this.#places) {
      await rm(part, { recursive: true, force: true }); // of a conversion that was killed
      await mkdir(part, { recursive: true });
    }
    return this.#places.map(({ part }) => part);
  }

  /** Gives the datasets their names. One that is there is exchanged and removed. */
  async complete(): Promise<void> {
    for (const { target, part, old } of this.#places) {
      if (await exists(target)) {
        await rm(old, { recursive: true, force: true });
        await rename(target, old);
      }
      await rename(part, target);
      await rm(old, { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    for (const { part } of this.#places) await rm(part, { recursive: true, force: true });
  }
}

function refusal(target: string, reason: string): UsageError {
  return new UsageError(`Cannot append to dataset "${target}": ${reason}`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
