import { z } from '../schemas/validation.ts';
import type { EpisodeSummary, Facets } from './api.ts';

/** Which episodes a list shows and in what order: the query of `/api/episodes`, and of the page's own address. */

/** For an episode of which something is not known. */
const NONE = 'none';

const secs = z.coerce.number().nonnegative();

/** What a list can be ordered by; texts from A to Z, numbers and instants from small to large. */
export const SORT_KEYS = [
  'id',
  'startTime',
  'durationSecs',
  'task',
  'operator',
  'outcome',
  'quality',
  'verdict',
  'lostMessages',
  'bytes',
] as const satisfies readonly (keyof EpisodeSummary)[];

export const episodeQuerySchema = z.object({
  /** Words that all occur somewhere in id, names, note or fault. */
  text: z.string().optional(),
  task: z.string().optional(),
  operator: z.string().optional(),
  session: z.string().optional(),
  scene: z.string().optional(),
  object: z.string().optional(),
  outcome: z.enum(['success', 'failure', NONE]).optional(),
  decision: z.enum(['keep', 'discard', NONE]).optional(),
  verdict: z.enum(['PASS', 'REVIEW', 'EXCLUDE', 'UNKNOWN', NONE]).optional(),
  quality: z.enum(['1', '2', '3', '4', '5', NONE]).optional(),
  /** `unknown`: recorded without a ledger. */
  loss: z.enum(['some', 'none', 'unknown']).optional(),
  minSecs: secs.optional(),
  maxSecs: secs.optional(),
  /** First and last day, UTC. */
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  /** A key of the summary, with a minus for the largest first. */
  sort: z.enum([...SORT_KEYS, ...SORT_KEYS.map((key) => `-${key}` as const)]).optional(),
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export type EpisodeQuery = Readonly<z.infer<typeof episodeQuerySchema>>;

/** Those that a query asks for, in its order; the page of them is the caller's. */
export function select(episodes: readonly EpisodeSummary[], query: EpisodeQuery): readonly EpisodeSummary[] {
  const tests = testsOf(query);
  const matching = episodes.filter((episode) => tests.every((test) => test(episode)));
  const { sort } = query;
  if (!sort) return matching;
  const key = SORT_KEYS.find((each) => sort.endsWith(each))!;
  const direction = sort.startsWith('-') ? -1 : 1;
  // What is not known comes last, whichever way.
  return matching.sort((a, b) => {
    const [x, y] = [sortable(a, key), sortable(b, key)];
    if (x === y) return 0;
    if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
    return x < y ? -direction : direction;
  });
}

type Test = (episode: EpisodeSummary) => boolean;

const EXACT = [
  'task',
  'operator',
  'session',
  'scene',
  'object',
  'outcome',
  'decision',
  'verdict',
  'quality',
] as const;
const DAY_MILLIS = 86_400_000;

function testsOf(query: EpisodeQuery): readonly Test[] {
  const tests: Test[] = EXACT.flatMap((name) => {
    const wanted = query[name];
    if (wanted === undefined) return [];
    return [(episode) => String(episode[name] ?? NONE) === wanted];
  });
  for (const word of (query.text ?? '').toLowerCase().split(/\s+/).filter(Boolean)) {
    tests.push((episode) => searchable(episode).includes(word));
  }
  const { loss, minSecs, maxSecs, from, to } = query;
  if (loss === 'unknown') tests.push(({ lostMessages }) => lostMessages === null);
  if (loss === 'some') tests.push(({ lostMessages }) => (lostMessages ?? 0) > 0);
  if (loss === 'none') tests.push(({ lostMessages }) => lostMessages === 0);
  if (minSecs !== undefined) tests.push(({ durationSecs }) => durationSecs >= minSecs);
  if (maxSecs !== undefined) tests.push(({ durationSecs }) => durationSecs <= maxSecs);
  if (from) tests.push((episode) => millisOf(episode) >= Date.parse(from));
  if (to) tests.push((episode) => millisOf(episode) < Date.parse(to) + DAY_MILLIS);
  return tests;
}

const SEARCHED = ['id', 'task', 'operator', 'robot', 'session', 'scene', 'object', 'note', 'fault'] as const;

function searchable(episode: EpisodeSummary): string {
  return SEARCHED.map((name) => episode[name] ?? '')
    .join('\n')
    .toLowerCase();
}

function millisOf({ startTime }: EpisodeSummary): number {
  return Number(startTime) / 1e6;
}

function sortable(episode: EpisodeSummary, key: (typeof SORT_KEYS)[number]): string | number | undefined {
  return key === 'startTime' ? millisOf(episode) : (episode[key] ?? undefined);
}

const FACETS = [
  'task',
  'operator',
  'session',
  'scene',
  'object',
] as const satisfies readonly (keyof Facets)[];

/** What can be chosen from, whatever is chosen now. */
export function facetsOf(episodes: readonly EpisodeSummary[]): Facets {
  const values = (name: (typeof FACETS)[number]) =>
    [...new Set(episodes.map((episode) => episode[name]))].filter((value) => value !== null).sort();
  return {
    task: values('task'),
    operator: values('operator'),
    session: values('session'),
    scene: values('scene'),
    object: values('object'),
  };
}
