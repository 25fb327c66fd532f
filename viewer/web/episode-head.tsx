import { useEffect, useState } from 'preact/hooks';
import type { EpisodeFacts, EpisodeNeighbours } from '../api.ts';
import { formatBytes, formatCount, formatDate, formatDuration } from './format.ts';
import { fetchNeighbours, fileAddress, listQuery, pageAddress } from './server.ts';
import { Outcome } from './verdicts.tsx';

interface Props {
  readonly facts: EpisodeFacts;
  readonly outcome: EpisodeFacts['outcome'];
  readonly neighbours: EpisodeNeighbours | undefined;
}

/** What the episode is, and the way to those beside it in the list that it was opened from. */
export function EpisodeHead({ facts, outcome, neighbours }: Props) {
  const { id, task, robot, operator, durationSecs, lostMessages, startTime, bytes } = facts;
  const rows: readonly (readonly [name: string, value: string, isLoss?: boolean])[] = [
    ['duration', formatDuration(durationSecs)],
    ['messages', formatCount(facts.messageCount)],
    ['lost', lostMessages === null ? 'no ledger' : formatCount(lostMessages), Boolean(lostMessages)],
    ['operator', operator ?? 'not known'],
    ['recorded', formatDate(startTime)],
  ];
  return (
    <header>
      <div>
        {neighbours && (
          <nav aria-label="Library">
            <a href={pageAddress()} aria-keyshortcuts="l">
              ← Library
            </a>
            <NeighbourLink id={neighbours.previous} text="‹ previous" shortcut="[" />
            {neighbours.position !== null && (
              <span>
                {formatCount(neighbours.position + 1)} of {formatCount(neighbours.matched)}
              </span>
            )}
            <NeighbourLink id={neighbours.next} text="next ›" shortcut="]" />
          </nav>
        )}
        <h1>
          <Outcome outcome={outcome} /> {task ?? id}
        </h1>
        <p>
          {id} · {robot ?? 'robot not known'} · <a href={fileAddress(id)}>{`MCAP, ${formatBytes(bytes)}`}</a>
        </p>
      </div>
      <dl>
        {rows.map(([name, value, isLoss]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={isLoss ? 'loss' : ''}>{value}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}

interface NeighbourLinkProps {
  readonly id: string | null;
  readonly text: string;
  readonly shortcut: string;
}

function NeighbourLink({ id, text, shortcut }: NeighbourLinkProps) {
  if (id === null) return null;
  return (
    <a href={pageAddress(id)} aria-keyshortcuts={shortcut}>
      {text}
    </a>
  );
}

/** What lies beside an episode; undefined where it is the only one. */
export function useNeighbours(id: string, hasList: boolean): EpisodeNeighbours | undefined {
  const [neighbours, setNeighbours] = useState<EpisodeNeighbours>();
  useEffect(() => {
    if (hasList) fetchNeighbours(id, listQuery()).then(setNeighbours, console.error);
  }, [id, hasList]);
  return neighbours;
}
