import { dirname } from 'node:path';
import { calibrate as calibrateRig, writeCalibration } from '../../converters/quality/calibrate.ts';
import type { Calibration } from '../../schemas/calibration.ts';
import type { CommandOptions } from '../command.ts';

/** `kinescribe calibrate`: what a rig is like when nothing touches it, kept in the library of the episode. */
export async function calibrate([file]: readonly string[], options: CommandOptions): Promise<number> {
  const calibration = await calibrateRig(file!, new Date());
  const kept = await writeCalibration(
    options.out === undefined ? dirname(file!) : String(options.out),
    calibration,
  );
  process.stdout.write(`${[...calibrationLines(calibration), `kept in ${kept}`].join('\n')}\n`);
  return 0;
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
