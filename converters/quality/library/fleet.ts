import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { spearman } from '../robust.ts';
import { siblingOf, traitsOf } from './traits.ts';

/** A correlation of fewer says nothing. */
const FEWEST_RANKED = 8;

/** How often something was found wrong. */
export interface FleetRow {
  readonly name: string;
  readonly episodes: number;
  /** Episodes with at least one failure. */
  readonly failing: number;
  readonly failures: number;
  readonly warnings: number;
}

/** A measured value over the episodes, worst first. */
export interface Ranking {
  readonly check: string;
  readonly stream: string | undefined;
  readonly channel: string | undefined;
  readonly episodes: readonly { readonly id: string; readonly value: number }[];
  /** Spearman's with the duration: beyond ± 0.5 the value mostly says how long an episode is. */
  readonly durationCorrelation: number;
}

/** Findings of a library by what its episodes have in common. */
export interface Fleet {
  readonly byStream: readonly FleetRow[];
  readonly byRobot: readonly FleetRow[];
  readonly byOperator: readonly FleetRow[];
  readonly byTask: readonly FleetRow[];
  readonly byDay: readonly FleetRow[];
  readonly rankings: readonly Ranking[];
  /** See {@link traitsOf}. */
  readonly traits: ReadonlySet<string>;
}

export function fleetOf(episodes: readonly CheckedEpisode[]): Fleet {
  return {
    byStream: rowsOfStreams(episodes),
    byRobot: rows(episodes, ({ info }) => info?.robot),
    byOperator: rows(episodes, ({ info }) => info?.operator),
    byTask: rows(episodes, ({ info }) => info?.task),
    byDay: rows(episodes, ({ startTime }) =>
      new Date(Number(startTime / 1_000_000n)).toISOString().slice(0, 10),
    ),
    rankings: rankings(episodes),
    traits: traitsOf(episodes.map(siblingOf)),
  };
}

function rows(
  episodes: readonly CheckedEpisode[],
  nameOf: (episode: CheckedEpisode) => string | undefined,
): readonly FleetRow[] {
  return [...Map.groupBy(episodes, (episode) => nameOf(episode) ?? 'unknown')].map(([name, group]) =>
    rowOf(
      name,
      group.map(({ findings }) => findings),
    ),
  );
}

function rowsOfStreams(episodes: readonly CheckedEpisode[]): readonly FleetRow[] {
  const names = new Set(episodes.flatMap(({ findings }) => findings.flatMap(({ stream }) => stream ?? [])));
  return [...names].map((name) =>
    rowOf(
      name,
      episodes
        .map(({ findings }) => findings.filter(({ stream }) => stream === name))
        .filter((findings) => findings.length > 0),
    ),
  );
}

function rowOf(name: string, findingsOfEpisodes: readonly (readonly Finding[])[]): FleetRow {
  const count = (status: Finding['status']) =>
    findingsOfEpisodes.reduce(
      (sum, findings) => sum + findings.filter((each) => each.status === status).length,
      0,
    );
  const failing = findingsOfEpisodes.filter((findings) =>
    findings.some(({ status }) => status === 'fail'),
  ).length;
  return {
    name,
    episodes: findingsOfEpisodes.length,
    failing,
    failures: count('fail'),
    warnings: count('warn'),
  };
}

/** Of values that differ between episodes. */
function rankings(episodes: readonly CheckedEpisode[]): readonly Ranking[] {
  const measured = episodes.flatMap(({ id, durationSecs, findings }) =>
    findings.flatMap((finding) =>
      finding.value === undefined ? [] : [{ id, durationSecs, finding, value: finding.value }],
    ),
  );
  return [...Map.groupBy(measured, ({ finding }) => finding.id)].flatMap(([, group]): Ranking[] => {
    if (group.length < FEWEST_RANKED || new Set(group.map(({ value }) => value)).size < 3) return [];
    const { check, stream, channel } = group[0]!.finding;
    const durations = group.map(({ durationSecs }) => durationSecs);
    return [
      {
        ...{ check, stream, channel },
        episodes: group.map(({ id, value }) => ({ id, value })).sort((a, b) => b.value - a.value),
        durationCorrelation: spearman(
          group.map(({ value }) => value),
          durations,
        ),
      },
    ];
  });
}
