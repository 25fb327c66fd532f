import { openFoxgloveSource } from '../recorder/foxglove-source.ts';
import { openRosSource } from '../recorder/ros-source.ts';
import type { Source } from '../recorder/source.ts';
import { UsageError } from '../schemas/errors.ts';
import type { CommandOptions } from './command.ts';
import { DemoRobot } from './demo-robot/demo-robot.ts';
import { rosArgsOf } from './ros-args.ts';

/** The simulated robot ends by itself; nobody records for longer at a stretch. */
const ONE_DAY_SECS = 86_400;

/** Where messages may come from, by the name on the command line. */
const SOURCES: Readonly<Record<string, (options: CommandOptions) => Promise<Source>>> = {
  ros2: (options) => openRosSource({ args: rosArgsOf(options) }),
  foxglove: ({ url }) => openFoxgloveSource(String(url)),
  demo: async () => new DemoRobot({ realTime: true, seed: Date.now() % 10_000, durationSecs: ONE_DAY_SECS }),
};

/**
 * Opens what `--source` names, with `--url`.
 *
 * @throws {MissingFeatureError | SourceError | UsageError} when it is not to be had.
 */
export async function openSource(options: CommandOptions): Promise<Source> {
  const open = SOURCES[String(options.source)];
  if (!open)
    throw new UsageError(`Source "${options.source}" is not one of ${Object.keys(SOURCES).join(', ')}.`);
  return open(options);
}
