/** What one look at this machine has found. */
export interface StartCheck {
  /** What was looked at, in a few words. */
  readonly name: string;
  /**
   * `fault` will hurt recording; `note` hurts something else, or only some recordings; `unknown` could not
   * be assessed here.
   */
  readonly verdict: 'well' | 'fault' | 'note' | 'unknown';
  /** What was found and, where it is not well, what it leads to. */
  readonly found: string;
  /** The command that repairs it, or what to do. */
  readonly remedy?: string;
}

/** A table for people: the verdicts below each other, each remedy under its check. */
export function checkLines(checks: readonly StartCheck[]): string[] {
  const words = { well: 'well', fault: 'FAULT', note: 'note', unknown: 'not assessed' } as const;
  const width = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length));
  const verdicts = width(checks.map(({ verdict }) => words[verdict]));
  const names = width(checks.map(({ name }) => name));
  return checks.flatMap(({ name, verdict, found, remedy }) => [
    `${words[verdict].padEnd(verdicts)}  ${name.padEnd(names)}  ${found}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(verdicts + names + 4)}→ ${remedy}`]),
  ]);
}
