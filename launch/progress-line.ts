/** One line that is drawn over itself on a terminal, and stays away from logs but for its end. */
export class ProgressLine {
  readonly #live = process.stderr.isTTY === true;
  #drawnAt = 0;
  #text = '';

  show(text: string): void {
    this.#text = text;
    const now = performance.now();
    if (!this.#live || now - this.#drawnAt < 100) return;
    this.#drawnAt = now;
    process.stderr.write(`\r\u001b[K${text}`);
  }

  /** Leaves the last text standing. */
  end(): void {
    process.stderr.write(this.#live ? `\r\u001b[K${this.#text}\n` : `${this.#text}\n`);
  }
}

/** `1 min 20 s`, for a time left. */
export function formatSecs(secs: number): string {
  const whole = Math.max(0, Math.round(secs));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
