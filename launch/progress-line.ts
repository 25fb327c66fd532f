/** One line that is drawn over itself on a terminal; logs are spared it. */
export class ProgressLine {
  readonly #live = process.stderr.isTTY === true;
  #drawnAt = 0;

  show(text: string): void {
    const now = performance.now();
    if (!this.#live || now - this.#drawnAt < 100) return;
    this.#drawnAt = now;
    process.stderr.write(`\r\u001b[K${text}`);
  }

  /** Takes the line away; what came of it is said elsewhere. */
  end(): void {
    if (this.#live) process.stderr.write('\r\u001b[K');
  }
}

/** `1 min 20 s`, for a time left. */
export function formatSecs(secs: number): string {
  const whole = Math.max(0, Math.round(secs));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
