/** What a gripper does, as its aperture and its command show it (control_msgs/GripperCommand: stalled, reached). */
export type GripperEvent = 'close' | 'grasp' | 'empty' | 'lost' | 'open';

export interface GripperMoment {
  readonly event: GripperEvent;
  readonly time: bigint;
}

/** Shares of the stroke: slower than this in a second is still; further from the command than this is stalled. */
const STILL_SHARE = 0.1;
const STALL_SHARE = 0.03;
const LOST_SHARE = 0.02;
/** A closing over less than this is a tremble around a goal, no attempt to grasp. */
const ATTEMPT_SHARE = 0.2;
/** A motion has ended when it has been still for this long. */
const SETTLE_NANOS = 80_000_000n;
const SPEED_SECS = 0.06;
/** How long what is held may give way after it was told to be held tighter. */
const SQUEEZE_NANOS = 300_000_000n;

/** Follows one gripper, sample by sample; larger apertures are wider open. */
export class GripperMachine {
  readonly moments: GripperMoment[] = [];
  readonly #stroke: () => number;
  #state: 'rest' | 'closing' | 'grasp' | 'opening' = 'rest';
  #recent: { readonly time: bigint; readonly aperture: number }[] = [];
  #stillFrom: bigint | undefined;
  #closedFrom = 0;
  #graspAperture = 0;
  #graspCommand = 0;
  #squeezedUntil = 0n;

  /** @param stroke in the unit of the aperture, as far as it is known. */
  constructor(stroke: () => number) {
    this.#stroke = stroke;
  }

  /** Whether something is held, as far as one can see. */
  get isHolding(): boolean {
    return this.#state === 'grasp';
  }

  /** @param command in force; undefined where nothing commands the gripper. */
  add(aperture: number, command: number | undefined, time: bigint): void {
    const stroke = this.#stroke();
    this.#recent.push({ time, aperture });
    while (this.#recent.length > 2 && Number(time - this.#recent[1]!.time) / 1e9 >= SPEED_SECS)
      this.#recent.shift();
    const oldest = this.#recent[0]!;
    const secs = Number(time - oldest.time) / 1e9;
    if (stroke <= 0 || secs < SPEED_SECS / 2) return;
    const speed = (aperture - oldest.aperture) / secs / stroke;
    const isStill = Math.abs(speed) < STILL_SHARE;
    if (!isStill) this.#stillFrom = undefined;
    else this.#stillFrom ??= time;
    const hasSettled = this.#stillFrom !== undefined && time - this.#stillFrom >= SETTLE_NANOS;
    switch (this.#state) {
      case 'rest':
      case 'opening':
        if (speed < -STILL_SHARE && (command === undefined || command < aperture)) {
          this.#closedFrom = oldest.aperture;
          this.#become('closing', 'close', time);
        } else if (hasSettled) this.#state = 'rest';
        return;
      case 'closing':
        if (speed > STILL_SHARE) this.#become('opening', 'open', time);
        // A command still on its way says nothing of what is between the fingers.
        else if (hasSettled && Math.abs((command ?? 0) - this.#graspCommand) < LOST_SHARE * stroke) {
          this.#settle(aperture, command, stroke, time);
        }
        this.#graspCommand = command ?? 0;
        return;
      case 'grasp':
        if (command !== undefined && command > this.#graspCommand + LOST_SHARE * stroke) {
          this.#become('opening', 'open', time);
        } else if (command !== undefined && command < this.#graspCommand - LOST_SHARE * stroke) {
          this.#graspCommand = command;
          this.#squeezedUntil = time + SQUEEZE_NANOS;
        } else if (time < this.#squeezedUntil) {
          this.#graspAperture = Math.min(this.#graspAperture, aperture);
        } else if (aperture < this.#graspAperture - LOST_SHARE * stroke) {
          this.#become('closing', 'lost', time);
        } else if (speed > STILL_SHARE) this.#become('opening', 'open', time);
    }
  }

  #settle(aperture: number, command: number | undefined, stroke: number, time: bigint): void {
    const isStalled = aperture - (command ?? 0) > STALL_SHARE * stroke;
    [this.#graspAperture, this.#graspCommand] = [aperture, command ?? 0];
    if (isStalled) this.#become('grasp', 'grasp', time);
    else if (this.#closedFrom - aperture < ATTEMPT_SHARE * stroke) this.#state = 'rest';
    else this.#become('rest', 'empty', time);
  }

  #become(state: 'rest' | 'closing' | 'grasp' | 'opening', event: GripperEvent, time: bigint): void {
    this.#state = state;
    this.#stillFrom = undefined;
    // Bounded: what a session of hours did first is no longer asked for.
    if (this.moments.push({ event, time }) > 4096) this.moments.splice(0, 2048);
  }
}
