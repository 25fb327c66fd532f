import type { CommandOption } from './command.ts';

/** Where a robot's messages come from; what `openSource` understands. */
export const SOURCE_OPTION: CommandOption = {
  flags: '-s, --source <name>',
  text: 'where messages come from; ros2 needs a sourced ROS 2 and "npm install rclnodejs"',
  choices: ['ros2', 'foxglove', 'demo'],
};

export const URL_OPTION: CommandOption = {
  flags: '-u, --url <address>',
  text: 'with --source foxglove: the bridge on the robot',
  default: 'ws://localhost:8765',
};
