import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCalibrations } from '../../converters/quality/calibrate.ts';
import { LiveChecks } from '../../converters/quality/live-checks.ts';
import { Collection } from '../../recorder/collection.ts';
import { checkLibrary } from '../../recorder/library-check.ts';
import { parsePedalKeys } from '../../recorder/pedal.ts';
import { Recorder } from '../../recorder/recorder.ts';
import { RecordingSession } from '../../recorder/recording-session.ts';
import { type Description, described } from '../../recorder/take-description.ts';
import type { CollectionPlan } from '../../schemas/collection-plan.ts';
import type { Contract } from '../../schemas/contract.ts';
import { readContract } from '../../schemas/contract-file.ts';
import type { EpisodeState } from '../../schemas/episode.ts';
import { UsageError } from '../../schemas/errors.ts';
import { openLibrary } from '../../schemas/library.ts';
import { type Repair, repairLibrary } from '../../schemas/library-repair.ts';
import { PLAN_FILE, readPlan } from '../../schemas/plan-file.ts';
import type { ReplayServer } from '../../viewer/server.ts';
import { ringFor } from '../bell.ts';
import type { CommandOptions } from '../command.ts';
import { liveLines, logLine } from '../live-view.ts';
import { byDuration, byKeyboard, byPedal, byRosGraph } from '../operators.ts';
import { Screen } from '../screen.ts';
import { serveRecording } from '../serve-recording.ts';
import { openSource } from '../sources.ts';
import { firstLook, untilHeard } from '../start-checks/first-look.ts';
import { checkLines } from '../start-checks/start-check.ts';
import { recordingChecks } from '../start-checks/start-checks.ts';
import { checkedLines, takeLines } from '../take-report.ts';
import { contractOfNothing, recordedTopics } from '../topic-options.ts';
import { programVersion } from '../version.ts';

/** What the operator may press in each state. */
const KEYS: Record<EpisodeState, string> = {
  idle: 'space start · q quit',
  recording: 'space stop · m mistake now · p pause · r resume · q stop, keep and quit',
  review: '1–5 quality · s success · f failure · k keep · d discard · space keep and start the next · q quit',
};
const SHOW_MILLIS = 250;
const BELL = '\u0007';

/** `kinescribe record`: takes one after another by keyboard, page or pedal, or a number of equal length. */
export async function record(_args: readonly string[], options: CommandOptions): Promise<number> {
  const contractFile =
    options.contract === undefined
      ? contractOfNothing(options)
      : await readContract(String(options.contract));
  const { contract } = contractFile;
  const hasKeyboard = options.duration === undefined && process.stdin.isTTY === true;
  const isServed = options.serve !== undefined || options.metrics === true;
  const pedalKeys = options.pedal === undefined ? undefined : parsePedalKeys(String(options.pedalKeys));
  const hasServices = options.source === 'ros2';
  if (!hasKeyboard && options.duration === undefined && !pedalKeys && !isServed && !hasServices) {
    throw new UsageError(
      'Recording by keyboard needs a terminal. Without one, give --serve, --pedal, or --duration and --takes.',
    );
  }
  const first = { task: contract.episode.tasks[0]!, operator: String(options.operator) };
  const said = saidOf(options);
  described(first, said, contract);
  const plan = await planOf(options, contract);
  if (options.changedContract !== true) await checkLibrary(String(options.out), contractFile);

  const ending = new AbortController();
  const { signal } = ending;
  const ended = once(signal, 'abort');
  const screen = new Screen(process.stdout.isTTY === true);
  // Also a second one, of "ros2 launch" or of an impatient hand: it must not cut off what is being completed.
  const end = () => ending.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, end);
  await prepare(options, contract, screen);
  const version = await programVersion();
  await using checks =
    options.checks === false
      ? undefined
      : new LiveChecks({
          contract,
          calibration: (await readCalibrations(String(options.out))).get(contract.robot.model),
          version,
        });
  const source = await openSource(options);
  const recorder = await Recorder.open(source, {
    contractFile,
    directory: String(options.out),
    version,
    ...(checks && { observer: checks }),
    topics: recordedTopics(options, contract),
    onWarning: ({ message }) => screen.say(message),
  });
  void recorder.sourceEnded.then(() => ending.abort());
  const collection = plan && (await Collection.open(String(options.out), plan));
  const session = new RecordingSession(recorder, {
    contract,
    ...first,
    ...(collection && { collection }),
    onTake: (take) => {
      screen.say(takeLines(take, contract).join('\n'));
      void take.checked.then((checked) => checked && screen.say(checkedLines(checked).join('\n')));
    },
    onTrouble: (message) => screen.say(message),
  });
  await session.command({ kind: 'describe', ...said });
  const showing = setInterval(() => {
    const status = session.status();
    const keys = hasKeyboard ? [KEYS[status.state]] : [];
    screen.show(screen.live ? [...liveLines(status), ...keys] : [logLine(status)]);
  }, SHOW_MILLIS);
  let server: ReplayServer | undefined;
  const say = (text: string) => screen.say(text);
  const endBell = options.sound === true ? ringFor(session, () => process.stdout.write(BELL)) : () => {};
  const leaveGraph = byRosGraph(session, { source, say });
  try {
    if (isServed) {
      server = await serveRecording(session, recorder.live, options);
      screen.say(`Operator's page  ${server.url('/record')}`);
      screen.say(`Live preview     ${server.url('/', 'ws')}   (Foxglove and Lichtblick)`);
    }
    const look = { streams: () => recorder.status().streams, contract, signal };
    const looked = firstLook(look);
    void looked.then((faults) => faults.length > 0 && screen.say(checkLines(faults).join('\n')));
    if (options.duration !== undefined) {
      await looked;
      await untilHeard(look); // what nobody publishes yet would be lost from the first take
      await byDuration(session, { secs: Number(options.duration), takes: Number(options.takes), signal });
    } else {
      const inputs: Promise<unknown>[] = [ended];
      if (hasKeyboard) inputs.push(byKeyboard(session, { terminal: process.stdin, signal }));
      if (pedalKeys) {
        const onUnknown = (code: number) =>
          screen.say(`Pedal key ${code} has no command; give it one with --pedal-keys ${code}=toggle`);
        inputs.push(byPedal(session, { device: String(options.pedal), keys: pedalKeys, onUnknown, signal }));
      }
      await Promise.race(inputs);
      ending.abort();
      await Promise.all(inputs);
    }
    await session.end();
    return session.lossy ? 3 : 0;
  } finally {
    clearInterval(showing);
    ending.abort();
    endBell();
    leaveGraph();
    await server?.close();
    await recorder.close();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end);
  }
}

/** What the command line says of the first take; it goes before the plan. */
function saidOf(options: CommandOptions): Description {
  const words = (['task', 'scene', 'object'] as const).filter((key) => options[key] !== undefined);
  return Object.fromEntries(words.map((key) => [key, String(options[key])]));
}

/** The plan that was named, else that of the library, if it has one. */
async function planOf(
  { plan, out }: CommandOptions,
  contract: Contract,
): Promise<CollectionPlan | undefined> {
  const own = join(String(out), PLAN_FILE);
  if (plan === undefined && !existsSync(own)) return undefined;
  return readPlan(plan === undefined ? own : String(plan), contract);
}

/** Completes what a crash has left in the library, and says what will hurt the recording; neither prevents it. */
async function prepare(options: CommandOptions, contract: Contract, screen: Screen): Promise<void> {
  const directory = String(options.out);
  await openLibrary(directory);
  for (const repair of await repairLibrary(directory)) screen.say(repairLine(repair));
  const checks = await recordingChecks({ directory, source: String(options.source), contract });
  const hurting = checks.filter(({ verdict }) => verdict === 'fault');
  if (hurting.length > 0) screen.say(checkLines(hurting).join('\n'));
}

function repairLine(repair: Repair): string {
  switch (repair.kind) {
    case 'busy':
      return `Another recording is writing "${repair.part}".`;
    case 'recovered':
      return `Completed "${repair.episode}" after a crash: ${repair.report.messageCount} messages.`;
    case 'put-aside':
      return `Found no message in what a crash left as "${repair.damaged}".`;
  }
}
