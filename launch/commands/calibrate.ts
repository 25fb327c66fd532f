import { dirname } from 'node:path';
import { calibrate as calibrateRig, writeCalibration } from '../../converters/quality/calibrate.ts';
import type { Calibration } from '../../schemas/calibration.ts';
import { UsageError } from '../../schemas/errors.ts';
import { recordFreeMotion } from '../calibration-take.ts';
import type { CommandOptions } from '../command.ts';

/**
 * `kinescribe calibrate`: what a rig is like when nothing touches it, kept in a library; from an episode, or from one
 * that is recorded now.
 *
 * @returns 0, or 3 where some of it is hardly so.
 */
export async function calibrate([episode]: readonly string[], options: CommandOptions): Promise<number> {
  const file = episode ?? (await recorded(options));
  const { calibration, doubts } = await calibrateRig(file, new Date());
  const kept = await writeCalibration(
    options.out === undefined ? dirname(file) : String(options.out),
    calibration,
  );
  const lines = [
    ...calibrationLines(calibration),
    `kept in ${kept}, made of ${file}`,
    ...doubts.map((doubt) => `look at this: ${doubt}`),
    ...(doubts.length > 0
      ? ['Checks take these values for the truth: mend what is wrong and calibrate again.']
      : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return doubts.length > 0 ? 3 : 0;
}

function recorded(options: CommandOptions): Promise<string> {
  if (options.source === undefined || options.contract === undefined) {
    throw new UsageError(
      'Cannot calibrate: there is no episode of free motion. Name one, or record it now with --source and --contract.',
    );
  }
  return recordFreeMotion({ ...options, out: options.out ?? 'recordings' });
}

/** For people: what checks of this robot will be held against. */
export function calibrationLines({ robot, wrenches, cameras, home, commandLagSecs }: Calibration): string[] {
  return [
    `robot "${robot}"`,
    ...Object.entries(wrenches).map(
      ([stream, { noise, r99 }]) =>
        `  ${stream}: noise ${noise.map((value) => value.toPrecision(2)).join(', ')} (N, N·m); contact above ${(2 * r99).toPrecision(2)} N`,
    ),
    ...Object.entries(cameras).map(
      ([stream, { sharpness, hashes }]) =>
        `  ${stream}: sharpness ${sharpness.toFixed(0)}, ${hashes.length} views`,
    ),
    ...Object.entries(home).map(
      ([stream, joints]) =>
        `  ${stream}: home ${Object.entries(joints)
          .map(([name, value]) => `${name} ${value.toFixed(3)}`)
          .join(', ')}`,
    ),
    ...Object.entries(commandLagSecs).map(
      ([stream, secs]) => `  ${stream}: the state follows after ${(secs * 1000).toFixed(0)} ms`,
    ),
  ];
}
