import { useEffect, useRef, useState } from 'preact/hooks';
import { EpisodeTable } from './episode-table.tsx';
import { formatCount } from './format.ts';
import { LibraryFilters } from './library-filters.tsx';
import { ListPages } from './list-pages.ts';
import { listQuery, pageAddress, recordingAddress } from './server.ts';

/** The library: its episodes in a table, searched and filtered by what the page's address says. */
export function Library({ isRecording }: { isRecording: boolean }) {
  const [query, setQuery] = useState(listQuery);
  const [fault, setFault] = useState('');
  const [, setTurn] = useState(0);
  const pages = useRef<ListPages>(null);
  const search = useRef<HTMLInputElement>(null);
  const key = query.toString();

  useEffect(() => {
    const made = new ListPages(query, (why = '') => {
      if (why || made.head) pages.current = made; // until then the old list stays
      setFault(why);
      setTurn((turn) => turn + 1);
    });
    return () => made.close();
  }, [key]);
  useEffect(() => {
    const onPop = () => setQuery(listQuery());
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      search.current?.select();
    };
    addEventListener('popstate', onPop);
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('popstate', onPop);
      removeEventListener('keydown', onKey);
    };
  }, []);

  const change = (name: string, value: string) => {
    const changed = new URLSearchParams(query);
    if (value) changed.set(name, value);
    else changed.delete(name);
    history.replaceState(null, '', pageAddress('', changed));
    setQuery(changed);
  };
  const { matched = 0, total = 0, pending = 0, facets } = pages.current?.head ?? {};
  return (
    <main class="library">
      <header>
        <h1>
          Library
          <small role="status">
            {matched === total ? formatCount(total) : `${formatCount(matched)} of ${formatCount(total)}`}{' '}
            episodes
            {pending > 0 && `, ${formatCount(pending)} still being read`}
          </small>
        </h1>
        {isRecording && (
          <a class="to-recording" href={recordingAddress()}>
            ● Recording
          </a>
        )}
      </header>
      <LibraryFilters query={query} facets={facets} searchRef={search} onChange={change} />
      {fault && <p class="loss">{fault}</p>}
      {pages.current && (
        <EpisodeTable pages={pages.current} query={query} onSort={(sort) => change('sort', sort)} />
      )}
    </main>
  );
}
