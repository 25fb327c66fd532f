import type { EpisodeDeeds } from './episode-keys.ts';
import type { EpisodeTime } from './episode-time.ts';
import { formatClock } from './format.ts';
import type { LabelStore, SaidMark } from './label-store.ts';

interface Props {
  readonly store: LabelStore;
  readonly deeds: EpisodeDeeds;
  readonly time: EpisodeTime;
  /** What the next mark is called. */
  readonly name: string;
  readonly isOpen: boolean;
  readonly onName: (name: string) => void;
  readonly onSeek: (secs: number) => void;
  /** Instant shown, seconds. */
  readonly now: () => number;
}

/** Offered before anyone has named a mark. */
const NAMES = ['mistake', 'grasp', 'release', 'contact', 'recovery'];

/** The kept part, and marks on the time line: made, moved and taken away. */
export function Marking({ store, deeds, time, name, isOpen, onName, onSeek, now }: Props) {
  const { trim, marks = [] } = store.state.labels?.current ?? {};
  const ranges = trim?.label.ranges ?? [];
  const names = [...new Set([...marks.map(({ label }) => label.name), ...NAMES])];
  const move = (mark: SaidMark, edge: 'startTime' | 'endTime') => {
    const moved = { ...mark.label, [edge]: String(time.timeAt(now())) };
    const isTurned = BigInt(moved.startTime) > BigInt(moved.endTime);
    const label = isTurned ? { ...moved, startTime: moved.endTime, endTime: moved.startTime } : moved;
    void store.say(label, mark.id);
  };
  return (
    <section aria-label="Marks" class="marking">
      <fieldset>
        <legend>kept part</legend>
        <button type="button" aria-keyshortcuts="i" onClick={() => deeds.trim('start')}>
          From here{' '}
          <span class="key" aria-hidden="true">
            i
          </span>
        </button>
        <button type="button" aria-keyshortcuts="o" onClick={() => deeds.trim('end')}>
          Until here{' '}
          <span class="key" aria-hidden="true">
            o
          </span>
        </button>
        {trim && (
          <p>
            {ranges
              .map(({ startTime, endTime }) =>
                [startTime, endTime].map((instant) => formatClock(time.secsAt(instant))).join(' to '),
              )
              .join(', ')}
            <button
              type="button"
              class="plain"
              aria-label="Keep all of it"
              onClick={() => void store.say({ kind: 'removal' }, trim.id)}
            >
              ✕
            </button>
          </p>
        )}
      </fieldset>
      <fieldset>
        <legend>mark</legend>
        <input
          list="mark-names"
          aria-label="Name of the next mark"
          value={name}
          onInput={({ currentTarget }) => onName(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) =>
            (key === 'Enter' || key === 'Escape') && currentTarget.blur()
          }
        />
        <datalist id="mark-names">
          {names.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        <button type="button" aria-pressed={isOpen} aria-keyshortcuts="m" onClick={() => deeds.mark('span')}>
          {isOpen ? 'End' : 'Begin'}{' '}
          <span class="key" aria-hidden="true">
            m
          </span>
        </button>
      </fieldset>
      <ul class="marks">
        {marks.map((mark) => {
          const { startTime, endTime } = mark.label;
          const place = startTime === endTime ? [startTime] : [startTime, endTime];
          return (
            <li key={mark.id}>
              <button type="button" class="plain" onClick={() => onSeek(time.secsAt(startTime))}>
                <b>{mark.label.name}</b> {place.map((instant) => formatClock(time.secsAt(instant))).join('–')}
              </button>
              <span>
                <button
                  type="button"
                  class="plain"
                  title="starts now"
                  onClick={() => move(mark, 'startTime')}
                >
                  ⇤<span class="unseen">{mark.label.name} starts now</span>
                </button>
                <button type="button" class="plain" title="ends now" onClick={() => move(mark, 'endTime')}>
                  ⇥<span class="unseen">{mark.label.name} ends now</span>
                </button>
                <button
                  type="button"
                  class="plain"
                  title="take away"
                  onClick={() => void store.say({ kind: 'removal' }, mark.id)}
                >
                  ✕<span class="unseen">take {mark.label.name} away</span>
                </button>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
