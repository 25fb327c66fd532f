import { setTimeout as delay } from 'node:timers/promises';
import { checkLibrary } from '../../recorder/library-check.ts';
import { type PedalKeys, parsePedalKeys, pedalCommands } from '../../recorder/pedal.ts';
import { Recorder } from '../../recorder/recorder.ts';
import { RecordingSession } from '../../recorder/recording-session.ts';
import { readContract } from '../../schemas/contract-file.ts';
import type { EpisodeState } from '../../schemas/episode.ts';
import { RecordError, UsageError } from '../../schemas/errors.ts';
import type { RecordingCommand } from '../../schemas/recording-control.ts';
import type { CommandOptions } from '../command.ts';
import { keyPresses } from '../keyboard.ts';
import { liveLines, logLine } from '../live-view.ts';
import { Screen } from '../screen.ts';
import { openSource } from '../sources.ts';
import { takeLines } from '../take-report.ts';
import { programVersion } from '../version.ts';

/** What the operator may press in each state. */
const KEYS: Record<EpisodeState, string> = {
  idle: 'space start · q quit',
  recording: 'space stop · m mistake now · q stop, keep and quit',
  review: '1–5 quality · s success · f failure · k keep · d discard · space keep and start the next · q quit',
};
const COMMANDS: ReadonlyMap<string, RecordingCommand> = new Map<string, RecordingCommand>([
  [' ', { kind: 'toggle' }],
  ['\r', { kind: 'toggle' }],
  ['s', { kind: 'keep', outcome: 'success' }],
  ['f', { kind: 'keep', outcome: 'failure' }],
  ['k', { kind: 'keep' }],
  ['d', { kind: 'discard' }],
  ['m', { kind: 'mistake' }],
  ...[1, 2, 3, 4, 5].map((value) => [String(value), { kind: 'quality', value }] as const),
]);
const SHOW_MILLIS = 250;

/** `kinescribe record`: takes one after another by keyboard, or a given number of a given length. */
export async function record(_args: readonly string[], options: CommandOptions): Promise<number> {
  const contractFile = await readContract(String(options.contract));
  const { contract } = contractFile;
  const byKeyboard = options.duration === undefined && process.stdin.isTTY === true;
  const pedalKeys = options.pedal === undefined ? undefined : parsePedalKeys(String(options.pedalKeys));
  if (!byKeyboard && options.duration === undefined && !pedalKeys) {
    throw new UsageError(
      'Recording by keyboard needs a terminal. Without one, give --pedal, or --duration and --takes.',
    );
  }
  const task = String(options.task ?? contract.episode.tasks[0]);
  RecordingSession.checkTask(task, contract);
  if (options.changedContract !== true) await checkLibrary(String(options.out), contractFile);

  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
  const screen = new Screen(process.stdout.isTTY === true);
  const recorder = await Recorder.open(await openSource(options), {
    contractFile,
    directory: String(options.out),
    version: await programVersion(),
    allTopics: options.all === true,
    onWarning: ({ message }) => screen.say(message),
  });
  void recorder.sourceEnded.then(() => ending.abort());
  const session = new RecordingSession(recorder, {
    contract,
    task,
    operator: String(options.operator),
    onTake: (take) => screen.say(takeLines(take, contract).join('\n')),
    onTrouble: (message) => screen.say(message),
  });
  const showing = setInterval(() => {
    const status = session.status();
    const keys = byKeyboard ? [KEYS[status.state]] : [];
    screen.show(screen.live ? [...liveLines(status, contract), ...keys] : [logLine(status)]);
  }, SHOW_MILLIS);
  try {
    if (options.duration !== undefined) {
      const takes = { secs: Number(options.duration), takes: Number(options.takes), signal: ending.signal };
      await byDuration(session, takes);
    } else {
      const inputs = [
        ...(byKeyboard ? [byKeys(session, ending.signal)] : []),
        ...(pedalKeys
          ? [
              byPedal(session, {
                device: String(options.pedal),
                keys: pedalKeys,
                screen,
                signal: ending.signal,
              }),
            ]
          : []),
      ];
      await Promise.race(inputs);
      ending.abort();
      await Promise.all(inputs);
    }
    await session.end();
    return session.lossy ? 3 : 0;
  } finally {
    clearInterval(showing);
    ending.abort();
    await recorder.close();
  }
}

async function byKeys(session: RecordingSession, signal: AbortSignal): Promise<void> {
  for await (const key of keyPresses(process.stdin, signal)) {
    if (key === 'q' || key === 'ctrl+c') return;
    const command = COMMANDS.get(key);
    if (command) await session.command(command).catch(forgiven);
  }
}

/** @throws {SourceError} when the pedal cannot be read. */
async function byPedal(
  session: RecordingSession,
  { device, keys, screen, signal }: { device: string; keys: PedalKeys; screen: Screen; signal: AbortSignal },
): Promise<void> {
  const onUnknown = (code: number) =>
    screen.say(`Pedal key ${code} has no command; give it one with --pedal-keys ${code}=toggle`);
  for await (const command of pedalCommands(device, keys, { signal, onUnknown })) {
    await session.command(command).catch(forgiven);
  }
}

/** A key that means nothing now, or a disk that the session has told of already. */
function forgiven(error: unknown): void {
  if (!(error instanceof UsageError || error instanceof RecordError)) throw error;
}

/** Takes of equal length, all kept. */
async function byDuration(
  session: RecordingSession,
  { secs, takes, signal }: { secs: number; takes: number; signal: AbortSignal },
): Promise<void> {
  for (let take = 0; take < takes && !signal.aborted; take++) {
    await session.command({ kind: 'start' });
    await delay(secs * 1000, undefined, { signal }).catch(() => {}); // aborted: the session stops the take
    if (signal.aborted) return;
    await session.command({ kind: 'stop' });
    await session.command({ kind: 'keep' });
  }
}
