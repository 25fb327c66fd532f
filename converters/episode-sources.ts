import { basename } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import { EPISODE_SUFFIX } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { type KinescribeError, UsageError } from '../schemas/errors.ts';
import { currentLabel, readLabelsFile } from '../schemas/labels.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { isEpisodeFault } from './prepared/episode-fault.ts';

/** A recording that is to be converted. */
export interface EpisodeSource {
  readonly file: string;
  readonly id: string;
  /** From its length. */
  readonly expectedFrames: number;
}

/** What was found at the files that are to be converted. */
export interface Sources {
  readonly sources: readonly EpisodeSource[];
  /** Recordings that a label discards. */
  readonly discarded: readonly string[];
  readonly skipped: readonly SkippedEpisode[];
  readonly unreadLabels: readonly UnreadLabels[];
}

/** Labels of a recording that are cut off, damaged or of a later version, and count for nothing. */
export interface UnreadLabels {
  readonly file: string;
  readonly lines: number;
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
export async function readSources(files: readonly string[], contract: Contract): Promise<Sources> {
  const sources: EpisodeSource[] = [];
  const discarded: string[] = [];
  const skipped: SkippedEpisode[] = [];
  const unreadLabels: UnreadLabels[] = [];
  for (const file of files) {
    const { entries, unreadableLines: lines } = await readLabelsFile(file);
    if (lines > 0) unreadLabels.push({ file, lines });
    if (currentLabel(entries, 'decision') === 'discard') {
      discarded.push(file);
      continue;
    }
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
  return { sources, discarded, skipped, unreadLabels };
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
