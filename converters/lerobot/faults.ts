/**
 * Gathers what is wrong with a dataset, one sentence a fault. Of faults of one kind in one file only the
 * first is told, with the number of the others: a single shifted row would else give thousands.
 */
export class Faults {
  readonly #first = new Map<string, { text: string; others: number }>();

  add(file: string, text: string): void {
    this.#count(`${file}\n${text}`, `${file}: ${text}`);
  }

  /** @param kind what the fault has in common with others of the same file. */
  addRow(file: string, row: number, kind: string, text: string): void {
    this.#count(`${file}\n${kind}`, `${file}, row ${row}: ${text}`);
  }

  list(): string[] {
    return [...this.#first.values()].map(({ text, others }) =>
      others > 0 ? `${text} (and ${others} more of this kind in this file)` : text,
    );
  }

  #count(kind: string, text: string): void {
    const known = this.#first.get(kind);
    if (known) known.others++;
    else this.#first.set(kind, { text, others: 0 });
  }
}
