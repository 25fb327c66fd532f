/** A live block is drawn on a terminal four times a second; a log gets every eighth. */
const LOG_EVERY = 8;

/** Standard output: a block that is drawn over itself, and lines that stay above it. */
export class Screen {
  /** Whether this is a terminal and not a log. */
  readonly live: boolean;
  #drawn = 0;
  #shown = 0;

  constructor(live: boolean) {
    this.live = live;
  }

  show(lines: readonly string[]): void {
    if (this.live) {
      process.stdout.write(`${this.#erase()}${lines.join('\n')}\n`);
      this.#drawn = lines.length;
    } else if (this.#shown++ % LOG_EVERY === 0) {
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  }

  say(text: string): void {
    process.stdout.write(`${this.#erase()}${text}\n`);
    this.#drawn = 0;
  }

  #erase(): string {
    return this.#drawn > 0 ? `\u001b[${this.#drawn}A\u001b[J` : '';
  }
}
