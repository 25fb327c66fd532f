import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodeSummary } from '../api.ts';
import { formatBytes, formatCount, formatDate, formatDuration } from './format.ts';
import type { ListPages } from './list-pages.ts';
import { pageAddress, thumbnailsAddress } from './server.ts';
import { Outcome, Verdict } from './verdicts.tsx';

/** CSS pixels; the same in `library.css`. */
const ROW_PIXELS = 56;
/** Rows drawn beyond the edge, so that a quick scroll shows no hole. */
const SPARE_ROWS = 8;

interface Props {
  readonly pages: ListPages;
  readonly query: URLSearchParams;
  readonly onSort: (sort: string) => void;
}

const COLUMNS = [
  ['pictures', 'pictures'],
  ['id', 'episode'],
  ['task', 'task'],
  ['operator', 'operator'],
  ['startTime', 'recorded'],
  ['durationSecs', 'duration'],
  ['outcome', 'outcome'],
  ['quality', 'quality'],
  ['verdict', 'verdict'],
  ['lostMessages', 'lost'],
  ['bytes', 'size'],
] as const;

/** Only the rows in sight are drawn, however many there are. */
export function EpisodeTable({ pages, query, onSort }: Props) {
  const box = useRef<HTMLElement>(null);
  const [range, setRange] = useState<readonly [first: number, end: number]>([0, 40]);
  const rows = pages.head?.matched ?? 0;
  const sort = query.get('sort') ?? '';

  const look = () => {
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    const first = Math.max(0, Math.floor(scrollTop / ROW_PIXELS) - SPARE_ROWS);
    const end = Math.ceil((scrollTop + clientHeight) / ROW_PIXELS) + SPARE_ROWS;
    setRange((old) => (old[0] === first && old[1] === end ? old : [first, end]));
    pages.show(first, Math.min(end, rows));
  };
  useEffect(() => {
    look();
    const resized = new ResizeObserver(look);
    if (box.current) resized.observe(box.current);
    return () => resized.disconnect();
  }, [pages, rows]);
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [pages]);

  const focusRow = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = (event.target as Element).closest<HTMLElement>('[data-row]');
    if (!step || !row) return;
    event.preventDefault();
    const to = Number(row.dataset.row) + step;
    if (to < 0 || to >= rows) return;
    const link = box.current?.querySelector<HTMLElement>(`[data-row="${to}"] a`);
    link?.focus();
    link?.scrollIntoView({ block: 'nearest' });
  };
  const [first, end] = [Math.min(range[0], rows), Math.min(range[1], rows)];
  return (
    <section
      ref={box}
      class="episode-table"
      aria-label="Episodes"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
      tabIndex={0}
      onScroll={look}
      onKeyDown={focusRow}
    >
      <table aria-rowcount={rows + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {COLUMNS.map(([key, text]) => (
              <th
                key={key}
                data-column={key}
                aria-sort={sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : 'none'}
              >
                {key === 'pictures' ? (
                  <span class="unseen">{text}</span>
                ) : (
                  <button
                    type="button"
                    onClick={() => onSort(sort === key ? `-${key}` : sort === `-${key}` ? '' : key)}
                  >
                    {text}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={first} />
          {Array.from({ length: end - first }, (_, i) => (
            <Row key={first + i} index={first + i} episode={pages.row(first + i)} />
          ))}
          <Spacer rows={rows - end} />
        </tbody>
      </table>
      {rows === 0 && <p class="notice">No episode is like that.</p>}
    </section>
  );
}

/** Stands for the rows out of sight. */
function Spacer({ rows }: { rows: number }) {
  return rows > 0 ? <tr style={{ height: `${rows * ROW_PIXELS}px` }} /> : null;
}

function Row({ index, episode }: { index: number; episode: EpisodeSummary | undefined }) {
  if (!episode) {
    return (
      <tr aria-rowindex={index + 2}>
        <td colSpan={COLUMNS.length} />
      </tr>
    );
  }
  const {
    id,
    task,
    operator,
    startTime,
    durationSecs,
    outcome,
    quality,
    verdict,
    lostMessages,
    bytes,
    fault,
  } = episode;
  const href = pageAddress(id);
  return (
    <tr
      aria-rowindex={index + 2}
      data-row={index}
      class={episode.decision === 'discard' ? 'discarded' : ''}
      onClick={({ target }) => {
        if (!(target as Element).closest('a')) location.assign(href);
      }}
    >
      <td data-column="pictures">
        <Strip key={id} id={id} />
      </td>
      <th scope="row" data-column="id">
        <a href={href}>{id}</a>
        {episode.decision === 'discard' && <small> discarded</small>}
      </th>
      <td data-column="task" title={fault ?? task ?? ''}>
        {fault ? <span class="loss">{fault}</span> : (task ?? '–')}
      </td>
      <td data-column="operator">{operator ?? '–'}</td>
      <td data-column="startTime">{fault ? '–' : formatDate(startTime)}</td>
      <td data-column="durationSecs">{formatDuration(durationSecs)}</td>
      <td data-column="outcome">
        <Outcome outcome={outcome} /> {outcome ?? ''}
      </td>
      <td data-column="quality">{quality ?? '–'}</td>
      <td data-column="verdict">
        <Verdict verdict={verdict} />
      </td>
      <td data-column="lostMessages" class={lostMessages ? 'loss' : ''}>
        {lostMessages === null ? '–' : formatCount(lostMessages)}
      </td>
      <td data-column="bytes">{formatBytes(bytes)}</td>
    </tr>
  );
}

/** The episode at a glance; an empty place where it has no pictures. */
function Strip({ id }: { id: string }) {
  const [isMissing, setMissing] = useState(false);
  if (isMissing) return <span class="strip" />;
  return (
    <img class="strip" src={thumbnailsAddress(id)} alt="" loading="lazy" onError={() => setMissing(true)} />
  );
}
