import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { MissingFeatureError } from '../schemas/errors.ts';

/** A sourced ROS 2. */
export interface RosEnvironment {
  /** `humble`, `jazzy`, … */
  readonly distro: string;
  /** Install folders in order of precedence, the overlay first. */
  readonly prefixes: readonly string[];
}

/**
 * Reads what sourcing a ROS 2 left in the environment.
 *
 * @throws {MissingFeatureError} where none is sourced.
 */
export function readRosEnvironment(env: NodeJS.ProcessEnv = process.env): RosEnvironment {
  const distro = env.ROS_DISTRO;
  const prefixes = folders(env.AMENT_PREFIX_PATH);
  const missing = (found: string) =>
    new MissingFeatureError(
      `Cannot reach ROS 2: recording from it needs a sourced installation, but ${found}. Run ` +
        `"source /opt/ros/${distro ?? '<distro>'}/setup.bash" in this shell and, once, "npm install ` +
        'rclnodejs"; or record the simulated robot with "--source demo".',
    );
  if (!distro) throw missing('ROS_DISTRO is not set');
  if (prefixes.length === 0) throw missing('AMENT_PREFIX_PATH is not set');
  const libraries = folders(env.LD_LIBRARY_PATH);
  if (!libraries.some((folder) => existsSync(join(folder, 'librcl.so')))) {
    throw missing('no folder of LD_LIBRARY_PATH holds "librcl.so"');
  }
  return { distro, prefixes };
}

/**
 * Makes sure that importing rclnodejs only loads it. Where its compiled part does not load, its import
 * runs `npm run rebuild`, which first deletes the build that is there.
 *
 * @throws {MissingFeatureError} where it is not installed, or was built for another ROS 2 or Node.js.
 */
export function assertBindingLoads({ distro }: RosEnvironment): void {
  const require = createRequire(import.meta.url);
  let folder: string;
  try {
    folder = dirname(require.resolve('rclnodejs/package.json'));
  } catch (cause) {
    throw new MissingFeatureError(
      'Cannot reach ROS 2: recording from it needs the package "rclnodejs", which is not installed. Run ' +
        '"npm install rclnodejs" in this shell, where ROS 2 is sourced.',
      { cause },
    );
  }
  const prebuilt = join(
    folder,
    'prebuilds',
    `${process.platform}-${process.arch}`,
    `${distro}-${osCodename()}-${process.arch}-node-rclnodejs.node`,
  );
  const built = join(folder, 'build', 'Release', 'rclnodejs.node');
  try {
    require(existsSync(prebuilt) ? prebuilt : built);
  } catch (cause) {
    throw new MissingFeatureError(
      `Cannot reach ROS 2: the compiled part of "${folder}" does not load under ROS 2 "${distro}" and ` +
        `Node.js ${process.version}: ${(cause as Error).message.split('\n')[0]}. Run ` +
        '"npm rebuild rclnodejs" in this shell, where ROS 2 is sourced.',
      { cause },
    );
  }
}

/** The name by which rclnodejs chooses a prebuilt part, `jammy`, `noble`; empty where there is none. */
function osCodename(): string {
  try {
    return /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]?.trim() ?? '';
  } catch {
    return ''; // not a Linux with os-release: no prebuilt part exists for it
  }
}

function folders(path: string | undefined): readonly string[] {
  return path?.split(delimiter).filter((folder) => folder !== '') ?? [];
}
