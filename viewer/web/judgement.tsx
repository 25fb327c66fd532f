import { useEffect, useRef } from 'preact/hooks';
import type { EpisodeDeeds, JudgedLabel } from './episode-keys.ts';
import { type LabelStore, ownHistory } from './label-store.ts';

interface Props {
  readonly store: LabelStore;
  readonly deeds: EpisodeDeeds;
}

const ROWS: readonly {
  readonly kind: JudgedLabel['kind'];
  readonly choices: readonly (readonly [label: JudgedLabel, text: string, key: string])[];
}[] = [
  {
    kind: 'outcome',
    choices: [
      [{ kind: 'outcome', value: 'success' }, 'Success', 's'],
      [{ kind: 'outcome', value: 'failure' }, 'Failure', 'f'],
    ],
  },
  {
    kind: 'quality',
    choices: [1, 2, 3, 4, 5].map((value) => [{ kind: 'quality', value }, String(value), String(value)]),
  },
  {
    kind: 'decision',
    choices: [
      [{ kind: 'decision', value: 'keep' }, 'Keep', 'k'],
      [{ kind: 'decision', value: 'discard' }, 'Discard', 'x'],
    ],
  },
];

/** What one says of the episode as a whole, and taking it back. */
export function Judgement({ store, deeds }: Props) {
  const { labels, author, fault } = store.state;
  const { done, undone } = ownHistory(labels?.entries ?? [], author);
  const current = labels?.current;
  return (
    <section aria-label="Judgement" class="judgement">
      <label class="reviewer">
        Reviewer
        <input
          value={author}
          required
          autoComplete="username"
          placeholder="your name"
          onChange={({ currentTarget }) => store.setAuthor(currentTarget.value.trim())}
          onKeyDown={({ key, currentTarget }) => key === 'Enter' && currentTarget.blur()}
        />
      </label>
      {ROWS.map(({ kind, choices }) => (
        <fieldset key={kind} class={kind}>
          <legend>
            {kind} {current?.[kind] && <small>by {current[kind].author}</small>}
          </legend>
          {choices.map(([label, text, key]) => (
            <button
              key={key}
              type="button"
              class={String(label.value)}
              aria-pressed={current?.[kind]?.label.value === label.value}
              aria-label={kind === 'quality' ? `Quality ${text}` : undefined}
              aria-keyshortcuts={key}
              onClick={() => deeds.judge(label)}
            >
              {text}
              {kind !== 'quality' && (
                <span class="key" aria-hidden="true">
                  {key}
                </span>
              )}
            </button>
          ))}
        </fieldset>
      ))}
      <Note store={store} />
      <div class="take-back">
        <button type="button" disabled={done.length === 0} aria-keyshortcuts="u" onClick={() => deeds.undo()}>
          Undo{' '}
          <span class="key" aria-hidden="true">
            u
          </span>
        </button>
        <button type="button" disabled={undone.length === 0} onClick={() => deeds.redo()}>
          Redo
        </button>
      </div>
      <p role="status" class="loss">
        {fault}
      </p>
      {labels && labels.unreadableLines > 0 && (
        <p class="hint">
          {labels.unreadableLines} lines of the labels file cannot be read and stay as they are.
        </p>
      )}
    </section>
  );
}

/** A note of anyone; what is being written here is not overwritten by what comes in. */
function Note({ store }: { store: LabelStore }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const held = store.state.labels?.current.note;
  const text = held?.label.value ?? '';
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = text;
  }, [text]);
  const save = () => {
    const written = field.current?.value.trim() ?? '';
    if (written === text) return;
    void (written
      ? store.say({ kind: 'note', value: written }, held?.id)
      : store.say({ kind: 'removal' }, held?.id));
  };
  return (
    <label class="note">
      Note {held && <small>by {held.author}</small>}
      <textarea
        ref={field}
        id="note"
        rows={2}
        aria-keyshortcuts="n"
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey))) {
            event.currentTarget.blur();
          }
        }}
      />
    </label>
  );
}
