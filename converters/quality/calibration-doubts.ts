import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import { AXES } from './interaction/wrench.ts';
import { isJointType } from './joint-sample.ts';
import type { RigCollector } from './rig-collector.ts';
import { fullTypeName, isPictureType } from './stream-role.ts';

/** No force sensor is noisier, newtons; nor does free motion of a light tool drive it further. */
const MOST_NOISE = 5;
const MOST_REACH = 15;
/** Variance of the Laplacian of a lens cap, or of a picture without focus. */
const LEAST_SHARPNESS = 5;
/** A joint that moved less has not moved; one that moved more did not rest; radians or metres. */
const LEAST_RANGE = 0.02;
/** Fingers open by centimetres; arms that move freely move further. */
const LEAST_ARM_RANGE = 0.2;
const MOST_LAG_SECS = 0.3;

/** What of a calibration is hardly so, in words; checks would take it for the truth. */
export function doubtsOf(
  { wrenches, cameras, commandLagSecs }: Calibration,
  { motion, depths, contract }: Pick<RigCollector, 'motion' | 'depths'> & { readonly contract: Contract },
): string[] {
  const streams = Object.entries(contract.streams).map(([name, { role, type }]) => ({
    name,
    role,
    type: fullTypeName(type),
  }));
  const named = (is: (stream: (typeof streams)[number]) => boolean) =>
    streams.filter(is).map(({ name }) => name);
  const forces = named(({ type }) => /\/WrenchStamped$/.test(type));
  const pictures = named(({ role, type }) => role === 'perception' && isPictureType(type));
  const commands = named(({ role, type }) => role === 'command' && isJointType(type));
  return [
    ...forces.filter((name) => !wrenches[name]).map((name) => `${name}: no force came`),
    ...Object.entries(wrenches).flatMap(([name, wrench]) =>
      ofForces(wrench).map((doubt) => `${name}: ${doubt}`),
    ),
    ...pictures
      .filter((name) => !cameras[name] && !depths.has(name))
      .map((name) => `${name}: no picture came that could be looked at`),
    ...Object.entries(cameras).flatMap(([name, { sharpness }]) =>
      sharpness < LEAST_SHARPNESS
        ? [`${name}: sharpness ${sharpness.toFixed(1)} is that of a covered lens or of no focus`]
        : [],
    ),
    ...ofMotion(motion),
    ...(commands.length > 0 && Object.keys(commandLagSecs).length === 0
      ? [
          `no lag is to be found between ${commands.join(', ')} and the states: move faster, or look at check A05`,
        ]
      : []),
    ...Object.entries(commandLagSecs).flatMap(([name, secs]) =>
      secs > MOST_LAG_SECS ? [`${name}: the state follows only after ${(secs * 1000).toFixed(0)} ms`] : [],
    ),
  ];
}

function ofForces({ noise, r99 }: Calibration['wrenches'][string]): string[] {
  const still = noise.flatMap((value, axis) => (value === 0 ? [AXES[axis]!] : []));
  const loudest = Math.max(...noise.slice(0, 3));
  return [
    ...(still.length > 0 ? [`${still.join(', ')} never changes: a stuck axis, or a sensor that is off`] : []),
    ...(loudest > MOST_NOISE
      ? [`noise of ${loudest.toFixed(1)} N is more than a sensor has: look at its cable`]
      : []),
    ...(r99 > MOST_REACH
      ? [
          `free motion drives it by ${r99.toFixed(0)} N: something was touched, or the weight of the tool is not taken off`,
        ]
      : []),
  ];
}

function ofMotion(motion: RigCollector['motion']): string[] {
  if (motion.size === 0) return ['no stream of joints came: nothing says whether the robot moved'];
  const all = [...motion.values()].flatMap((ranges) => [...ranges.values()]);
  const widest = Math.max(...all.map(({ min, max }) => max - min));
  return [
    ...(widest < LEAST_ARM_RANGE
      ? [`no joint moved by more than ${widest.toFixed(2)}: noise, reach and lag are those of a rest`]
      : []),
    ...[...motion].flatMap(([name, ranges]) => {
      const listed = (is: (range: (typeof all)[number]) => boolean) =>
        [...ranges].flatMap(([joint, range]) => (is(range) ? [joint] : [])).join(', ');
      const idle = widest < LEAST_ARM_RANGE ? '' : listed(({ min, max }) => max - min < LEAST_RANGE);
      const early = listed(({ resting }) => resting > LEAST_RANGE);
      return [
        ...(idle ? [`${name}: ${idle} did not move`] : []),
        ...(early
          ? [
              `${name}: ${early} moved in the first half second: home pose and force at rest are not of a rest`,
            ]
          : []),
      ];
    }),
  ];
}
