import type { CommandOptions } from './command.ts';

/**
 * Takes the arguments for ROS 2 out of a command line, as every ROS 2 program does: `--ros-args`, what
 * follows it, up to `--` or the end.
 */
export function splitRosArgs(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly rosArgs: readonly string[];
} {
  const own: string[] = [];
  const rosArgs: string[] = [];
  let isRos = false;
  for (const arg of argv) {
    if (arg === '--ros-args') isRos = true;
    else if (isRos && arg === '--') isRos = false;
    else (isRos ? rosArgs : own).push(arg);
  }
  return { own, rosArgs };
}

/** What followed `--ros-args` on the command line, in the command's options. */
export function rosArgsOf({ rosArgs }: CommandOptions): readonly string[] {
  return Array.isArray(rosArgs) ? rosArgs.map(String) : [];
}
