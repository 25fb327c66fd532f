import type { Contract } from '../schemas/contract.ts';
import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { ConvertError } from '../schemas/errors.ts';
import type { EpisodeHeader } from './dataset-writer.ts';
import type { EpisodeFacts } from './prepared/prepared-episode.ts';
import { assignSplits, checkLeakage } from './split.ts';

/** An episode and its place in the datasets. */
export interface PlacedEpisode {
  readonly facts: EpisodeFacts;
  readonly header: EpisodeHeader;
}

/**
 * Gives every episode its split and its place: in the order given, those of one split after those of another, as
 * formats name ranges of them.
 *
 * @throws {ConvertError} when they cannot be split as the contract asks, or two bear the same id.
 */
export function placeEpisodes(
  episodes: readonly EpisodeFacts[],
  { split: settings }: Contract,
): readonly PlacedEpisode[] {
  refuseTwins(episodes);
  // Stretches of one recording stay together.
  const subjects = episodes.map((facts) => ({
    ...facts,
    id: facts.recordingId,
    startTime: facts.recordingTime,
  }));
  const splits = settings ? assignSplits(subjects, settings) : [];
  const order = settings ? Object.keys(settings.shares) : [];
  const placed = episodes
    .map((facts, i) => ({ facts, split: splits[i] }))
    .sort((a, b) => order.indexOf(a.split ?? '') - order.indexOf(b.split ?? ''))
    .map(({ facts, split }, index) => {
      const { id, digest, task } = facts;
      return { facts, header: { index, id, digest, task, ...(split !== undefined && { split }) } };
    });
  checkLeakage(placed.map(({ header }) => header));
  return placed;
}

/** What the manifest says of it. */
export function manifestEpisode({ facts, header }: PlacedEpisode): ManifestEpisode {
  const { file, frames, trimmedStart, trimmedEnd, pausedTicks, leftOutTicks, startTime, endTime, clocks } =
    facts;
  const cuts = { ...(pausedTicks && { pausedTicks }), ...(leftOutTicks && { leftOutTicks }) };
  const audio = facts.audio?.map(({ track: _, silences, ...record }) => ({
    ...record,
    silences: [...silences],
  }));
  const unusable = facts.unusable.entries().map(([stream, counts]) => ({ stream, ...counts }));
  const pictures = facts.unusable.size > 0 ? { unusablePictures: [...unusable] } : {};
  const sound = audio && audio.length > 0 ? { audio } : {};
  return {
    ...header,
    file,
    frames,
    trimmedStart,
    trimmedEnd,
    ...cuts,
    startTime,
    endTime,
    clocks,
    ...pictures,
    ...sound,
  };
}

function refuseTwins(episodes: readonly EpisodeFacts[]): void {
  const seen = new Map<string, EpisodeFacts>();
  for (const episode of episodes) {
    const twin = seen.get(episode.id);
    if (twin) {
      throw new ConvertError(
        `Cannot convert "${episode.file}" (${episode.digest}): episode "${episode.id}" is in the dataset with other ` +
          `content (${twin.digest}). Leave it out, or convert all episodes into another folder.`,
      );
    }
    seen.set(episode.id, episode);
  }
}
