/** Everything that an episode's page does by key; the help lists it, and so do the buttons that do the same. */

/** What the keys act on. */
export interface EpisodeDeeds {
  toggle(): void;
  /** By frames or seconds, backwards when negative. */
  step(count: number, unit: 'frame' | 'second'): void;
  toEdge(edge: 'start' | 'end'): void;
  /** To the next or previous loss, finding or mark. */
  toEvent(direction: 1 | -1): void;
  changeSpeed(direction: 1 | -1): void;
  toNeighbour(which: 'previous' | 'next'): void;
  toLibrary(): void;
  judge(label: JudgedLabel): void;
  trim(edge: 'start' | 'end'): void;
  mark(kind: 'span' | 'instant'): void;
  writeNote(): void;
  undo(): void;
  redo(): void;
  toggleHelp(): void;
}

/** The labels of which one key press says all. */
export type JudgedLabel =
  | { readonly kind: 'outcome'; readonly value: 'success' | 'failure' }
  | { readonly kind: 'quality'; readonly value: number }
  | { readonly kind: 'decision'; readonly value: 'keep' | 'discard' };

export interface KeyAction {
  /** `KeyboardEvent.key`, in lower case, behind `shift+` or `ctrl+` where that is held. */
  readonly keys: readonly string[];
  /** As it stands on the keyboard. */
  readonly shown: string;
  readonly text: string;
  run(deeds: EpisodeDeeds, key: string): void;
}

export const KEY_GROUPS: Readonly<Record<string, readonly KeyAction[]>> = {
  Play: [
    { keys: [' '], shown: 'space', text: 'play, pause', run: (deeds) => deeds.toggle() },
    { keys: ['arrowleft'], shown: '←', text: 'one frame back', run: (deeds) => deeds.step(-1, 'frame') },
    { keys: ['arrowright'], shown: '→', text: 'one frame on', run: (deeds) => deeds.step(1, 'frame') },
    {
      keys: ['shift+arrowleft'],
      shown: 'shift ←',
      text: 'one second back',
      run: (deeds) => deeds.step(-1, 'second'),
    },
    {
      keys: ['shift+arrowright'],
      shown: 'shift →',
      text: 'one second on',
      run: (deeds) => deeds.step(1, 'second'),
    },
    { keys: ['home'], shown: 'home', text: 'to the start', run: (deeds) => deeds.toEdge('start') },
    { keys: ['end'], shown: 'end', text: 'to the end', run: (deeds) => deeds.toEdge('end') },
    { keys: [','], shown: ',', text: 'slower', run: (deeds) => deeds.changeSpeed(-1) },
    { keys: ['.'], shown: '.', text: 'faster', run: (deeds) => deeds.changeSpeed(1) },
    { keys: ['g'], shown: 'g', text: 'next loss, finding or mark', run: (deeds) => deeds.toEvent(1) },
    { keys: ['shift+g'], shown: 'shift g', text: 'previous one', run: (deeds) => deeds.toEvent(-1) },
  ],
  Judge: [
    {
      keys: ['s'],
      shown: 's',
      text: 'success',
      run: (deeds) => deeds.judge({ kind: 'outcome', value: 'success' }),
    },
    {
      keys: ['f'],
      shown: 'f',
      text: 'failure',
      run: (deeds) => deeds.judge({ kind: 'outcome', value: 'failure' }),
    },
    {
      keys: ['1', '2', '3', '4', '5'],
      shown: '1 … 5',
      text: 'quality, poor to excellent',
      run: (deeds, key) => deeds.judge({ kind: 'quality', value: Number(key) }),
    },
    {
      keys: ['k'],
      shown: 'k',
      text: 'keep',
      run: (deeds) => deeds.judge({ kind: 'decision', value: 'keep' }),
    },
    {
      keys: ['x'],
      shown: 'x',
      text: 'discard',
      run: (deeds) => deeds.judge({ kind: 'decision', value: 'discard' }),
    },
    { keys: ['n'], shown: 'n', text: 'write a note', run: (deeds) => deeds.writeNote() },
  ],
  Mark: [
    { keys: ['i'], shown: 'i', text: 'keep from here on', run: (deeds) => deeds.trim('start') },
    { keys: ['o'], shown: 'o', text: 'keep until here', run: (deeds) => deeds.trim('end') },
    { keys: ['m'], shown: 'm', text: 'begin a mark, end it', run: (deeds) => deeds.mark('span') },
    { keys: ['shift+m'], shown: 'shift m', text: 'mark this instant', run: (deeds) => deeds.mark('instant') },
    { keys: ['u', 'ctrl+z'], shown: 'u', text: 'undo what you said', run: (deeds) => deeds.undo() },
    {
      keys: ['shift+u', 'ctrl+shift+z', 'ctrl+y'],
      shown: 'shift u',
      text: 'redo',
      run: (deeds) => deeds.redo(),
    },
  ],
  Go: [
    { keys: ['['], shown: '[', text: 'previous episode', run: (deeds) => deeds.toNeighbour('previous') },
    { keys: [']'], shown: ']', text: 'next episode', run: (deeds) => deeds.toNeighbour('next') },
    { keys: ['l'], shown: 'l', text: 'library', run: (deeds) => deeds.toLibrary() },
    { keys: ['?', 'shift+?'], shown: '?', text: 'this help', run: (deeds) => deeds.toggleHelp() },
  ],
};

const BY_KEY = new Map(
  Object.values(KEY_GROUPS)
    .flat()
    .flatMap((action) => action.keys.map((key) => [key, action] as const)),
);

/** Does what a key asks for, unless it is typed into a field or belongs to the button under it. */
export function obeyKey(event: KeyboardEvent, deeds: EpisodeDeeds): void {
  const { target, key, shiftKey, ctrlKey, metaKey, altKey } = event;
  if (altKey) return;
  if (target instanceof HTMLElement && target.closest('input, select, textarea, [role="dialog"]')) return;
  if (
    (key === ' ' || key === 'Enter') &&
    target instanceof HTMLElement &&
    target.closest('button, a, summary')
  ) {
    return;
  }
  const held = `${ctrlKey || metaKey ? 'ctrl+' : ''}${shiftKey ? 'shift+' : ''}`;
  const action = BY_KEY.get(held + key.toLowerCase());
  if (!action) return;
  event.preventDefault();
  action.run(deeds, key);
}
