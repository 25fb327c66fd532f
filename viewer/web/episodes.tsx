import type { EpisodeSummary } from '../api.ts';
import { formatCount, formatDuration } from './format.ts';
import { pageAddress, recordingAddress } from './server.ts';

interface Props {
  readonly episodes: readonly EpisodeSummary[];
  readonly current: string;
  /** Whether the recording screen can be gone to. */
  readonly isRecording: boolean;
}

/** The episodes that are served; each a link that names it. */
export function Episodes({ episodes, current, isRecording }: Props) {
  return (
    <nav class="episodes" aria-label="Episodes">
      {isRecording && (
        <a class="to-recording" href={recordingAddress()}>
          ● Recording
        </a>
      )}
      <h2>
        Episodes <small>{formatCount(episodes.length)}</small>
      </h2>
      <ul>
        {episodes.map(({ id, task, fault, outcome, durationSecs, lostMessages }) => (
          <li key={id}>
            <a href={pageAddress(id)} aria-current={id === current ? 'page' : undefined}>
              <b>
                <Outcome outcome={outcome} /> {id}
              </b>
              <span>{fault ?? task ?? 'no task recorded'}</span>
              <span>
                {formatDuration(durationSecs)}
                {lostMessages ? <em class="loss"> {formatCount(lostMessages)} lost</em> : ''}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const MARKS = { success: '✓', failure: '✕' } as const;

/** How the take ended, as a sign with its word for those who cannot see it. */
export function Outcome({ outcome }: { outcome: EpisodeSummary['outcome'] }) {
  if (!outcome) return <span class="outcome" role="img" aria-label="outcome not known" />;
  return (
    <span class={`outcome ${outcome}`} role="img" aria-label={outcome}>
      {MARKS[outcome]}
    </span>
  );
}
