import { setTimeout as delay } from 'node:timers/promises';
import { untoleratedLosses } from '../recorder/loss-verdict.ts';
import type { FinishedTake, Recorder, RecorderStatus, TakeDescription } from '../recorder/recorder.ts';
import type { Contract } from '../schemas/contract.ts';
import type { Outcome } from '../schemas/episode.ts';
import { RecordError } from '../schemas/errors.ts';

/** What an operator can say, whatever the key, pedal or page it came from. */
export type Control =
  | 'start-stop'
  | 'success'
  | 'failure'
  | 'keep'
  | 'discard'
  | 'mistake'
  | `quality-${1 | 2 | 3 | 4 | 5}`
  | 'quit';

export interface SessionOptions {
  readonly contract: Contract;
  readonly take: TakeDescription;
  /** Ends the session as the control "quit" does. */
  readonly signal: AbortSignal;
  /** Called about four times a second with the state as it is. */
  onStatus(status: RecorderStatus): void;
  /** A take's file is complete; it waits for the operator's word. */
  onTake(take: FinishedTake): void;
  /** Something the operator has to know; the session goes on. */
  onTrouble(message: string): void;
}

const TICK_MILLIS = 250;

/**
 * Runs takes as the controls say until they end, say quit, or the source ends. A take that is running
 * then is stopped and kept; a take that reaches the contract's longest duration is stopped.
 *
 * @returns whether a kept take lost more than the contract tolerates.
 */
export async function runSession(
  recorder: Recorder,
  controls: AsyncIterable<Control>,
  options: SessionOptions,
): Promise<boolean> {
  const { contract, take: description, signal, onStatus, onTake, onTrouble } = options;
  let lossy = false;
  let finished: FinishedTake | undefined;
  /** Said in review, stored when the take is kept. */
  let quality: number | undefined;

  /** A disk that fails ends the take, not the session: the operator may mend it and start again. */
  const survivingRecordErrors = async (step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      lossy = true;
      onTrouble(error.message);
    }
  };
  const start = () => survivingRecordErrors(() => recorder.startTake(description));
  const stop = () =>
    survivingRecordErrors(async () => {
      finished = await recorder.stopTake();
      onTake(finished);
    });
  const keep = async (outcome?: Outcome) => {
    lossy ||= untoleratedLosses(finished!.ledger, contract).length > 0;
    const verdict = { ...(outcome && { outcome }), ...(quality !== undefined && { quality }) };
    quality = undefined;
    await recorder.keepTake(verdict, description.operator);
  };
  /** What a control means in the present state; elsewhere it is ignored. */
  const obey = async (control: Control) => {
    switch (recorder.state) {
      case 'idle':
        if (control === 'start-stop') await start();
        break;
      case 'recording':
        if (control === 'start-stop') await stop();
        else if (control === 'mistake') recorder.markMistake(description.operator);
        break;
      case 'review':
        if (control === 'discard') await recorder.discardTake();
        else if (control === 'success' || control === 'failure') await keep(control);
        else if (control === 'keep' || control === 'start-stop') await keep();
        else if (control.startsWith('quality-')) quality = Number(control.at(-1));
        if (control === 'start-stop') await start();
        break;
    }
  };

  const iterator = controls[Symbol.asyncIterator]();
  let next = iterator.next();
  const over = Promise.race([
    recorder.sourceEnded,
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  ]).then(() => 'over' as const);
  for (;;) {
    const event = await Promise.race([next, over, delay(TICK_MILLIS, 'tick' as const)]);
    if (event === 'over') break;
    if (event === 'tick') {
      const status = recorder.status();
      onStatus(status);
      const tooLong = status.durationSecs > contract.episode.maxDurationSecs;
      if (status.state !== 'recording') continue;
      if (status.storage.exhausted)
        onTrouble('The disk is full: the take is ended. Make room and start again.');
      if (tooLong || status.failure || status.storage.exhausted) await stop();
      continue;
    }
    if (event.done || event.value === 'quit') break;
    await obey(event.value);
    next = iterator.next();
  }
  // Lets the controls clean up; those that wait for a key do so when their own signal is aborted.
  void iterator.return?.();
  if (recorder.state === 'recording') await stop();
  if (recorder.state === 'review') await keep();
  if (recorder.sourceError) onTrouble(recorder.sourceError.message);
  return lossy || recorder.sourceError !== undefined;
}
