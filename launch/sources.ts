import { openRosSource } from '../recorder/ros-source.ts';
import type { Source } from '../recorder/source.ts';
import { DemoRobot } from './demo-robot/demo-robot.ts';

/** The simulated robot ends by itself; nobody records for longer at a stretch. */
const ONE_DAY_SECS = 86_400;

/** Where messages may come from, by the name on the command line. */
const SOURCES: Readonly<Record<string, () => Promise<Source>>> = {
  ros2: () => openRosSource(),
  demo: async () => new DemoRobot({ realTime: true, seed: Date.now() % 10_000, durationSecs: ONE_DAY_SECS }),
};

/** @throws {MissingFeatureError} when this machine lacks what the source needs. */
export async function openSource(name: string): Promise<Source> {
  const open = SOURCES[name];
  if (!open) throw new RangeError(`Source "${name}" is not one of ${Object.keys(SOURCES).join(', ')}`);
  return open();
}
