import type { RefObject } from 'preact';
import type { Facets } from '../api.ts';

interface Props {
  readonly query: URLSearchParams;
  readonly facets: Facets | undefined;
  readonly searchRef: RefObject<HTMLInputElement | null>;
  /** An empty value takes the filter away. */
  readonly onChange: (name: string, value: string) => void;
}

/** Values of filters that are the same in every library, with their words. */
const FIXED = {
  outcome: { success: 'success', failure: 'failure', none: 'not judged' },
  verdict: { PASS: 'pass', REVIEW: 'review', EXCLUDE: 'exclude', UNKNOWN: 'unknown', none: 'not checked' },
  decision: { keep: 'keep', discard: 'discard', none: 'undecided' },
  quality: { 5: '5', 4: '4', 3: '3', 2: '2', 1: '1', none: 'not graded' },
  loss: { some: 'some', none: 'none', unknown: 'no ledger' },
} as const;

/** Search and filters; what is set stands in the page's address. */
export function LibraryFilters({ query, facets, searchRef, onChange }: Props) {
  const choice = (name: string, values: Readonly<Record<string, string>>) => (
    <label key={name} class={query.has(name) ? 'set' : ''}>
      {name}
      <select
        value={query.get(name) ?? ''}
        onChange={({ currentTarget }) => onChange(name, currentTarget.value)}
      >
        <option value="">any</option>
        {Object.entries(values).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const field = (name: string, text: string, type: 'number' | 'date') => (
    <label key={name} class={query.has(name) ? 'set' : ''}>
      {text}
      <input
        type={type}
        min={0}
        value={query.get(name) ?? ''}
        onChange={({ currentTarget }) => onChange(name, currentTarget.value)}
      />
    </label>
  );
  return (
    <search class="filters">
      <input
        ref={searchRef}
        type="search"
        aria-label="Search"
        aria-keyshortcuts="/"
        placeholder="Search id, task, operator, note …  ( / )"
        value={query.get('text') ?? ''}
        onInput={({ currentTarget }) => onChange('text', currentTarget.value)}
      />
      {Object.entries(facets ?? {}).map(
        ([name, values]) =>
          (values.length > 1 || query.has(name)) &&
          choice(name, Object.fromEntries(values.map((value) => [value, value]))),
      )}
      {Object.entries(FIXED).map(([name, values]) => choice(name, values))}
      {field('minSecs', 'from, s', 'number')}
      {field('maxSecs', 'to, s', 'number')}
      {field('from', 'from day', 'date')}
      {field('to', 'to day', 'date')}
    </search>
  );
}
