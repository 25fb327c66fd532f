import { createHash } from 'node:crypto';
import type { Contract } from '../schemas/contract.ts';
import type { EpisodeInfo } from '../schemas/episode.ts';
import { ConvertError } from '../schemas/errors.ts';
import { formatTime } from '../schemas/time.ts';

/** The split that statistics are made of; all episodes belong to it where the contract says nothing. */
export const TRAINING = 'train';

export type SplitSettings = NonNullable<Contract['split']>;

/** What decides where an episode goes. */
export interface SplitSubject {
  readonly file: string;
  readonly id: string;
  readonly task: string;
  /** Absent for recordings of other programs. */
  readonly info: EpisodeInfo | undefined;
  /** Log time of the first message. */
  readonly startTime: bigint;
}

/** What episodes have in common that must stay on one side. */
const GROUP_OF: Readonly<Record<SplitSettings['by'], (subject: SplitSubject) => string | undefined>> = {
  session: ({ info }) => info?.session,
  operator: ({ info }) => info?.operator,
  scene: ({ info }) => info?.scene,
  object: ({ info }) => info?.object,
  robot: ({ info }) => info?.robot,
  task: ({ task }) => task,
  day: ({ startTime }) => formatTime(startTime).slice(0, 10),
  episode: ({ id }) => id,
};

/**
 * Gives every episode its split, whole groups at a time. Groups come in an order that only their names and the
 * seed decide, and each goes to the split that is filled least, so that the same episodes are always split
 * alike.
 *
 * @throws {ConvertError} when an episode does not say which group it is of, or there are fewer groups than splits.
 */
export function assignSplits(
  subjects: readonly SplitSubject[],
  { by, seed, shares }: SplitSettings,
): readonly string[] {
  const groups = Map.groupBy(subjects, (subject) => groupOf(subject, by));
  const order = [...groups].sort(([a], [b]) => (rank(a, seed) < rank(b, seed) ? -1 : 1));
  const quotas = Object.entries(shares).map(([split, share]) => ({
    split,
    quota: share * subjects.length,
    filled: 0,
  }));
  const splitOf = new Map<SplitSubject, string>();
  for (const [, members] of order) {
    const emptiest = quotas.reduce((least, each) =>
      each.filled / each.quota < least.filled / least.quota ? each : least,
    );
    emptiest.filled += members.length;
    for (const member of members) splitOf.set(member, emptiest.split);
  }
  const empty = quotas.find(({ filled }) => filled === 0)?.split;
  if (empty !== undefined) {
    throw new ConvertError(
      `Cannot split by ${by}: ${groups.size} groups leave split "${empty}" empty. Record more, give it a larger ` +
        'share, or split by something of which there is more.',
    );
  }
  return subjects.map((subject) => splitOf.get(subject)!);
}

function groupOf(subject: SplitSubject, by: SplitSettings['by']): string {
  const group = GROUP_OF[by](subject);
  if (group !== undefined) return group;
  throw new ConvertError(
    `Cannot split by ${by}: "${subject.file}" does not say its ${by}. Split by something that every episode says, ` +
      'such as task, day or episode, or leave it out.',
  );
}

function rank(group: string, seed: number): string {
  return createHash('sha256').update(`${seed}/${group}`).digest('hex');
}

/** @throws {ConvertError} when one recording lies on both sides, under two names. */
export function checkLeakage(
  episodes: readonly { readonly id: string; readonly digest: string; readonly split?: string | undefined }[],
): void {
  const seen = new Map<string, (typeof episodes)[number]>();
  for (const episode of episodes) {
    const twin = seen.get(episode.digest);
    if (twin && twin.split !== episode.split) {
      throw new ConvertError(
        `Cannot split: "${twin.id}" in "${twin.split}" and "${episode.id}" in "${episode.split}" are the same ` +
          'recording, so that what is tested was trained on. Leave one of them out.',
      );
    }
    seen.set(episode.digest, episode);
  }
}
