import { basename } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { type KinescribeError, UsageError } from '../schemas/errors.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { isEpisodeFault } from './prepared/episode-fault.ts';

/** A recording that is to be converted. */
export interface EpisodeSource {
  readonly file: string;
  readonly id: string;
  /** From its length. */
  readonly expectedFrames: number;
}

/** An episode that is in no dataset, and why. */
export interface SkippedEpisode {
  readonly file: string;
  readonly fault: KinescribeError;
}

/**
 * Looks into every recording before any is converted.
 *
 * @throws {UsageError} when two bear the same id.
 */
export async function readSources(
  files: readonly string[],
  contract: Contract,
): Promise<{ readonly sources: readonly EpisodeSource[]; readonly skipped: readonly SkippedEpisode[] }> {
  const sources: EpisodeSource[] = [];
  const skipped: SkippedEpisode[] = [];
  for (const file of files) {
    try {
      const source = await readSource(file, contract);
      const same = sources.find(({ id }) => id === source.id);
      if (same) throw sameId(source, same);
      sources.push(source);
    } catch (fault) {
      if (!isEpisodeFault(fault)) throw fault;
      skipped.push({ file, fault });
    }
  }
  return { sources, skipped };
}

async function readSource(file: string, { samples }: Contract): Promise<EpisodeSource> {
  await using reader = await EpisodeReader.open(file);
  const info = await reader.info();
  const secs = nanosToSecs(reader.endTime - reader.startTime);
  return {
    file,
    id: info?.id ?? basename(file, EPISODE_SUFFIX),
    expectedFrames: Math.ceil(secs * samples.tickRateHz),
  };
}

function sameId({ file, id }: EpisodeSource, same: EpisodeSource): UsageError {
  return new UsageError(
    `Cannot convert "${file}": every episode of a dataset needs its own id, but "${same.file}" ` +
      `is "${id}" too. Give each episode once.`,
  );
}
