import { setTimeout as delay } from 'node:timers/promises';
import { Recorder } from '../../recorder/recorder.ts';
import { readContract } from '../../schemas/contract-file.ts';
import type { EpisodeState } from '../../schemas/episode.ts';
import { UsageError } from '../../schemas/errors.ts';
import type { CommandOptions } from '../command.ts';
import { keyPresses } from '../keyboard.ts';
import { liveLines, logLine } from '../live-view.ts';
import { type Control, runSession } from '../session.ts';
import { openSource } from '../sources.ts';
import { takeLines } from '../take-report.ts';
import { programVersion } from '../version.ts';

/** What the operator may press in each state. */
const KEYS: Record<EpisodeState, string> = {
  idle: 'space start · q quit',
  recording: 'space stop · m mistake now · q stop, keep and quit',
  review:
    '1–5 quality · s success · f failure · k keep · d discard · space keep and start the next · q keep and quit',
};
const CONTROLS: ReadonlyMap<string, Control> = new Map([
  [' ', 'start-stop'],
  ['\r', 'start-stop'],
  ['s', 'success'],
  ['f', 'failure'],
  ['k', 'keep'],
  ['d', 'discard'],
  ['m', 'mistake'],
  ...([1, 2, 3, 4, 5] as const).map((quality) => [String(quality), `quality-${quality}`] as const),
  ['q', 'quit'],
  ['ctrl+c', 'quit'],
]);

/** `kinescribe record`: takes one after another by keyboard, or a given number of a given length. */
export async function record(_args: readonly string[], options: CommandOptions): Promise<number> {
  const contractFile = await readContract(String(options.contract));
  const { contract } = contractFile;
  const task = String(options.task ?? contract.episode.tasks[0]);
  if (!contract.episode.tasks.includes(task)) {
    throw new UsageError(
      `Task "${task}" is not one of the contract's: ${contract.episode.tasks.map((each) => `"${each}"`).join(', ')}.`,
    );
  }
  const byKeyboard = options.duration === undefined;
  if (byKeyboard && !process.stdin.isTTY) {
    throw new UsageError('Recording by keyboard needs a terminal. Without one, give --duration and --takes.');
  }
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
  const screen = new Screen(process.stdout.isTTY === true);
  const source = await openSource(String(options.source));
  const recorder = await Recorder.open(source, {
    contractFile,
    directory: String(options.out),
    version: await programVersion(),
    allTopics: options.all === true,
    onWarning: ({ message }) => screen.say(message),
  });
  try {
    const controls = byKeyboard
      ? keyboardControls(ending.signal)
      : timedControls(Number(options.duration), Number(options.takes), ending.signal);
    const lossy = await runSession(recorder, controls, {
      contract,
      signal: ending.signal,
      take: { task, operator: String(options.operator) },
      onStatus: (status) => {
        const keys = byKeyboard ? [KEYS[status.state]] : [];
        screen.show(screen.live ? [...liveLines(status, contract), ...keys] : [logLine(status, contract)]);
      },
      onTake: (take) => screen.say(takeLines(take, contract).join('\n')),
      onTrouble: (message) => screen.say(message),
    });
    return lossy ? 3 : 0;
  } finally {
    ending.abort(); // lets the keyboard go
    await recorder.close();
  }
}

async function* keyboardControls(signal: AbortSignal): AsyncGenerator<Control> {
  for await (const key of keyPresses(process.stdin, signal)) {
    const control = CONTROLS.get(key);
    if (control) yield control;
  }
}

/** Takes of equal length, all kept. */
async function* timedControls(
  durationSecs: number,
  takes: number,
  signal: AbortSignal,
): AsyncGenerator<Control> {
  for (let take = 0; take < takes && !signal.aborted; take++) {
    yield 'start-stop';
    await delay(durationSecs * 1000, undefined, { signal }).catch(() => {}); // aborted: the session stops the take
    yield 'start-stop';
    yield 'keep';
  }
}

/** The terminal: a block that is drawn over itself, and lines that stay above it. */
class Screen {
  readonly live: boolean;
  #drawn = 0;
  #logged = 0;

  constructor(live: boolean) {
    this.live = live;
  }

  show(lines: readonly string[]): void {
    if (this.live) {
      process.stdout.write(`${this.#erase()}${lines.join('\n')}\n`);
      this.#drawn = lines.length;
    } else if (this.#logged++ % 8 === 0) {
      process.stdout.write(`${lines.join('\n')}\n`); // every two seconds is enough for a log
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
