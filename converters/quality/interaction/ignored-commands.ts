const STEP_SHARE = 0.2;
const ANSWER_SHARE = 0.02;
const ANSWER_NANOS = 1_000_000_000n;
/** A command still moves while it has changed within this time. */
const QUIET_NANOS = 60_000_000n;

interface Window {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Counts commands that a gripper does not answer. */
export class IgnoredCommands {
  count = 0;
  /** Motions of the command that were large enough to be asked about. */
  commands = 0;
  window: Window | undefined;
  #aperture: number | undefined;
  #command: { readonly value: number; readonly time: bigint } | undefined;
  /** Where the command began to move, and the aperture there. */
  #step:
    | { readonly from: number; readonly aperture: number; readonly time: bigint; isCounted: boolean }
    | undefined;
  #waiting: { readonly aperture: number; readonly target: number; readonly time: bigint } | undefined;

  command(value: number, stroke: number, time: bigint): void {
    const last = this.#command;
    if (last && value !== last.value) {
      if (!this.#step || time - last.time > QUIET_NANOS) {
        this.#step = { from: last.value, aperture: this.#aperture ?? value, time, isCounted: false };
      }
      this.#command = { value, time };
      const step = this.#step;
      if (!step.isCounted && Math.abs(value - step.from) > STEP_SHARE * stroke) {
        step.isCounted = true;
        this.commands++;
        this.#waiting = { aperture: step.aperture, target: value, time };
      } else if (this.#waiting) this.#waiting = { ...this.#waiting, target: value };
    } else if (!last) this.#command = { value, time };
  }

  state(aperture: number, stroke: number, time: bigint): void {
    this.#aperture = aperture;
    const waiting = this.#waiting;
    if (!waiting) return;
    const hasAnswered = Math.abs(aperture - waiting.aperture) > ANSWER_SHARE * stroke;
    // What it is told to be it may already be.
    const isThere = Math.abs(aperture - waiting.target) <= STEP_SHARE * stroke;
    if (hasAnswered || isThere) this.#waiting = undefined;
    else if (time - waiting.time > ANSWER_NANOS) {
      this.#waiting = undefined;
      this.count++;
      this.window ??= { startTime: waiting.time, endTime: time + 1n };
    }
  }
}
