import { setTimeout as delay } from 'node:timers/promises';
import { Recorder } from '../recorder/recorder.ts';
import { newSessionId } from '../recorder/take-description.ts';
import { readContract } from '../schemas/contract-file.ts';
import { appendLabel, type Label } from '../schemas/labels.ts';
import { secsToNanos } from '../schemas/time.ts';
import type { CommandOptions } from './command.ts';
import { liveLines } from './live-view.ts';
import { Screen } from './screen.ts';
import { openSource } from './sources.ts';
import { firstLook } from './start-checks/first-look.ts';
import { checkLines } from './start-checks/start-check.ts';
import { programVersion } from './version.ts';

/** Task of the takes that calibrations are made of: no other episode is held against them. */
export const CALIBRATION_TASK = 'calibration: move freely, touch nothing';
const BY = 'calibrate';
const SHOW_MILLIS = 250;
/** The robot stands at its home pose meanwhile: force and joints at rest are taken from it. */
const REST_SECS = 1;

const INSTRUCTION = [
  'The robot is about to be measured while nothing touches it.',
  '  1. Take every object away from it, and everybody. Bring it to its home pose.',
  '  2. It rests for one second when the time begins to run.',
  '  3. Then move every joint freely, through as much of its reach as the task will use, as fast as the task will be.',
  '  4. Touch nothing until the time is over. Open and close the gripper in the air.',
];

/**
 * Records free motion from a live robot into a library, telling the operator what to do. Training never sees the
 * episode: it is marked as calibration and labelled to be left out.
 *
 * @returns its file.
 * @throws {SourceError | MissingFeatureError | UsageError | RecordError} when it cannot be recorded.
 */
export async function recordFreeMotion(options: CommandOptions): Promise<string> {
  const contractFile = await readContract(String(options.contract));
  const { contract } = contractFile;
  const screen = new Screen(process.stdout.isTTY === true);
  const ending = new AbortController();
  const { signal } = ending;
  const end = () => ending.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end);
  const recorder = await Recorder.open(await openSource(options), {
    ...{ contractFile, directory: String(options.out), version: await programVersion() },
    onWarning: ({ message }) => screen.say(message),
  });
  void recorder.sourceEnded.then(end);
  try {
    screen.say(INSTRUCTION.join('\n'));
    const silent = await firstLook({ streams: () => recorder.status().streams, contract, signal });
    if (silent.length > 0) screen.say(checkLines(silent).join('\n'));
    await recorder.startTake({ task: CALIBRATION_TASK, operator: BY, session: newSessionId() });
    const secs = Number(options.duration);
    for (let left = secs; left > 0 && !signal.aborted; left = secs - recorder.status().durationSecs) {
      const now = secs - left < REST_SECS ? 'stay at the home pose' : 'move freely, touch nothing';
      screen.show([`${Math.ceil(left)} s left: ${now}`, ...liveLines(recorder.status())]);
      await delay(Math.min(SHOW_MILLIS, left * 1000), undefined, { signal }).catch(() => {}); // aborted: it ends here
    }
    const { file, startTime, durationSecs } = await recorder.stopTake();
    await recorder.keepTake({}, BY);
    const endTime = startTime + secsToNanos(durationSecs);
    const labels: readonly Label[] = [
      { kind: 'mark', name: 'calibration', startTime, endTime },
      { kind: 'decision', value: 'discard' },
    ];
    const time = new Date().toISOString();
    for (const label of labels) await appendLabel(file, { author: BY, time, label });
    return file;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end);
    await recorder.close();
  }
}
