import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findVideoBackend } from '../../converters/video-backend.ts';
import { MissingFeatureError } from '../../schemas/errors.ts';
import type { StartCheck } from './start-check.ts';

/** As package.json demands; below it Node.js does not run TypeScript as it stands. */
const LEAST_NODE = [22, 18] as const;

export function checkNode(version = process.versions.node): StartCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  if (isNew) return { name: 'Node.js', verdict: 'well', found: version };
  return {
    name: 'Node.js',
    verdict: 'fault',
    found: `${version}, which is older than ${LEAST_NODE.join('.')}`,
    remedy: 'In a clone run "npm ci", which brings its own; else install Node.js 24.',
  };
}

export async function checkVideoEncoder(): Promise<StartCheck> {
  const name = 'video encoder';
  try {
    const { name: backend, encoder } = await findVideoBackend();
    return { name, verdict: 'well', found: `${backend} with ${encoder}` };
  } catch (error) {
    if (!(error instanceof MissingFeatureError)) throw error;
    return {
      name,
      verdict: 'note',
      found: 'none: recording works, but "convert" cannot make LeRobot datasets with cameras here',
      remedy: '"sudo apt install ffmpeg", "brew install ffmpeg" or "npm install node-av"',
    };
  }
}

/** What tells whether the system clock is synchronised, each with how to read its answer. */
const CLOCK_WITNESSES: readonly {
  readonly command: readonly [string, ...string[]];
  readonly read: (
    answer: string,
  ) => { readonly isSynchronised: boolean; readonly detail: string } | undefined;
}[] = [
  {
    // Comma-separated: the fifth field is the offset in seconds, the last one the leap status.
    command: ['chronyc', '-c', 'tracking'],
    read: (answer) => {
      const fields = answer.trim().split(',');
      const offset = Number(fields[4]);
      if (fields.length < 14 || !Number.isFinite(offset)) return undefined;
      const isSynchronised = fields.at(-1) !== 'Not synchronised';
      return { isSynchronised, detail: `chrony, ${(offset * 1e3).toFixed(3)} ms off` };
    },
  },
  {
    // linuxptp: without a grandmaster it says nothing of this machine. phc2sys carries its time to the system clock.
    command: ['pmc', '-u', '-b', '0', 'GET TIME_STATUS_NP'],
    read: (answer) => {
      const offset = /^\s*master_offset\s+(-?\d+)/m.exec(answer)?.[1];
      if (offset === undefined || !/^\s*gmPresent\s+true/m.test(answer)) return undefined;
      return { isSynchronised: true, detail: `PTP, ${(Number(offset) / 1e6).toFixed(3)} ms off` };
    },
  },
  {
    command: ['timedatectl', 'show', '--property=NTPSynchronized', '--value'],
    read: (answer) => {
      const word = answer.trim();
      if (word !== 'yes' && word !== 'no') return undefined;
      return { isSynchronised: word === 'yes', detail: 'timedatectl' };
    },
  },
  {
    // STA_UNSYNC of adjtimex(2).
    command: ['adjtimex', '--print'],
    read: (answer) => {
      const status = /^\s*status:\s*(\d+)/m.exec(answer)?.[1];
      return status === undefined
        ? undefined
        : { isSynchronised: (Number(status) & 0x40) === 0, detail: 'adjtimex' };
    },
  },
];

/**
 * Whether the system clock is held to others'. On one machine recording does not need it; between machines
 * every stamp is as wrong as the clocks differ.
 */
export async function checkClock(
  run: (...command: [string, ...string[]]) => Promise<string> = answerOf,
): Promise<StartCheck> {
  const name = 'clock';
  for (const { command, read } of CLOCK_WITNESSES) {
    const answer = await run(...command).catch(() => undefined); // not installed, or not running
    const state = answer === undefined ? undefined : read(answer);
    if (!state) continue;
    const { isSynchronised, detail } = state;
    if (isSynchronised) return { name, verdict: 'well', found: `synchronised (${detail})` };
    return {
      name,
      verdict: 'note',
      found: `not synchronised (${detail}): stamps of other machines will not agree with this one's`,
      remedy: '"sudo apt install chrony", or "sudo timedatectl set-ntp true"; on robot and recorder alike',
    };
  }
  return { name, verdict: 'unknown', found: 'found no chronyc, pmc, timedatectl or adjtimex that answers' };
}

async function answerOf(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args, { timeout: 3000 })).stdout;
}
