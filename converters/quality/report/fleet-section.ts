import type { Coverage } from '../library/coverage.ts';
import type { Fleet, FleetRow, Ranking } from '../library/fleet.ts';
import type { Likeness } from '../library/near-duplicates.ts';
import type { Occupancy } from '../library/occupancy.ts';
import type { Outlier } from '../library/outliers.ts';
import { escapeHtml } from './plots.ts';

/** Beyond this a measure mostly says how long an episode is (catalogue, X12). */
const LENGTH_PROXY = 0.5;
const MOST_RANKINGS = 12;
const MOST_RANKED = 5;

export interface LibraryView {
  readonly fleet: Fleet;
  readonly likenesses: readonly Likeness[];
  readonly outliers: readonly Outlier[];
  readonly coverage: Coverage;
}

/** A library at a glance: findings by what episodes share, rankings, copies and coverage. */
export function fleetSection({ fleet, likenesses, coverage }: LibraryView): string {
  const tables = [
    ['stream', fleet.byStream],
    ['robot', fleet.byRobot],
    ['operator', fleet.byOperator],
    ['task', fleet.byTask],
    ['day', fleet.byDay],
  ] as const;
  return [
    '<h2>Library</h2>',
    ...tables.map(([name, rows]) => rowsTable(name, rows)),
    traitsText(fleet),
    likenessTable(likenesses),
    rankingTable(fleet.rankings),
    coverageTables(coverage),
  ].join('\n');
}

function rowsTable(title: string, rows: readonly FleetRow[]): string {
  const wrong = rows
    .filter(({ failures, warnings }) => failures + warnings > 0)
    .sort((a, b) => b.failing - a.failing || b.failures - a.failures || b.warnings - a.warnings);
  if (wrong.length === 0) return `<h3>By ${title}</h3><p>Nothing was found wrong.</p>`;
  const body = wrong.map(({ name, episodes, failing, failures, warnings }) =>
    row([escapeHtml(name), `${failing} of ${episodes}`, `${failures}`, `${warnings}`]),
  );
  return `<h3>By ${title}</h3>${table([title, 'failing episodes', 'failures', 'warnings'], body)}`;
}

function traitsText({ traits }: Fleet): string {
  if (traits.size === 0) return '';
  const list = [...traits].map((id) => `<li>${escapeHtml(id)}</li>`).join('');
  return `<h3>Traits</h3><p>The same almost everywhere: they say something of the rig or the task and exclude no episode.</p><ul>${list}</ul>`;
}

function likenessTable(likenesses: readonly Likeness[]): string {
  if (likenesses.length === 0) return '';
  const words = { X01: 'a copy of', X02: 'nearly the path of', X03: 'the video of' } as const;
  const body = likenesses.map(({ check, id, other, value }) =>
    row([check, escapeHtml(id), `${words[check]} ${escapeHtml(other)}`, value.toPrecision(2)]),
  );
  return `<h3>Alike</h3>${table(['check', 'episode', 'what', 'distance'], body)}`;
}

function rankingTable(rankings: readonly Ranking[]): string {
  if (rankings.length === 0) return '';
  const body = rankings
    .slice(0, MOST_RANKINGS)
    .map(({ check, stream, channel, episodes, durationCorrelation }) => {
      const worst = episodes
        .slice(0, MOST_RANKED)
        .map(({ id, value }) => `${escapeHtml(id)} ${value.toPrecision(3)}`);
      const isProxy = Math.abs(durationCorrelation) > LENGTH_PROXY;
      const place = escapeHtml([stream, channel].filter(Boolean).join(' '));
      return row([
        check,
        place,
        worst.join(', '),
        `${durationCorrelation.toFixed(2)}${isProxy ? ' length proxy' : ''}`,
      ]);
    });
  return `<h3>Rankings</h3><p>Highest values first. Rank correlation with the duration beside each: beyond ± ${LENGTH_PROXY} a measure mostly tells how long an episode is.</p>${table(['check', 'where', 'highest', 'correlation with duration'], body)}`;
}

function coverageTables({ balance, targets, occupancy }: Coverage): string {
  const plan = targets?.map(({ target, done, left }) => {
    const { count, ...words } = target;
    return row([escapeHtml(Object.values(words).join(' · ')), `${done} of ${count}`, `${left}`]);
  });
  const classes = balance.map(({ property, classes: all, evenness, small }) =>
    row([
      property,
      all.map(({ name, episodes }) => `${escapeHtml(name)} ${episodes}`).join(', '),
      evenness.toFixed(2),
      escapeHtml(small.join(', ')),
    ]),
  );
  return [
    ...(plan ? ['<h3>Plan</h3>', table(['target', 'done', 'left'], plan)] : []),
    ...(classes.length > 0
      ? ['<h3>Balance</h3>', table(['of', 'episodes', 'evenness', 'under 5 %'], classes)]
      : []),
    ...(occupancy ? ['<h3>States</h3>', occupancyText(occupancy)] : []),
  ].join('');
}

function occupancyText({ episodes, states, starts }: Occupancy): string {
  return `<p>The joints of ${episodes} episodes were in effectively ${states.toFixed(0)} cells of 0.1 rad, and began in ${starts.toFixed(1)}.</p>`;
}

function table(headings: readonly string[], body: readonly string[]): string {
  return `<table><thead><tr>${headings.map((each) => `<th>${each}</th>`).join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}
