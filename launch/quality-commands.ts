import type { Command } from './command.ts';
import { SOURCE_OPTION, URL_OPTION } from './source-options.ts';

/** What judges recordings. */
export const QUALITY_COMMANDS: readonly Command[] = [
  {
    name: 'check',
    summary: 'What is wrong with episodes: a verdict, the reasons, and findings beside each of them.',
    arguments: '<episode...>',
    options: [
      {
        flags: '-c, --contract <file>',
        text: 'checked against it; against that of each episode if not given',
      },
      { flags: '--calibration <file>', text: 'of the rig; those beside the episodes if not given' },
      {
        flags: '--report <file>',
        text: 'one HTML page: plots, cameras, and a picture of the moment of each finding',
      },
      { flags: '--all', text: 'show what passed and what was not assessed, too' },
      { flags: '--json', text: 'for programs' },
    ],
    examples: [
      ['kinescribe check recordings/my-robot-0001.mcap', 'verdict, reasons, and where to look'],
      ['kinescribe check recordings', 'every episode of a library, each against the others'],
      ['kinescribe check recordings --report check.html', 'the same as a page for people'],
    ],
    run: async (args, options) => (await import('./commands/check.ts')).check(args, options),
  },
  {
    name: 'calibrate',
    summary: 'Measure a rig while nothing touches it: noise, contact, sharpness, home, lag; checks read it.',
    arguments: '[episode]',
    options: [
      {
        ...SOURCE_OPTION,
        text: 'without an episode: record one now from here; tells what to do with the robot',
      },
      URL_OPTION,
      { flags: '-c, --contract <file>', text: 'with --source: what the streams are' },
      { flags: '-d, --duration <secs>', text: 'with --source: how long', value: 'number', default: 20 },
      { flags: '-o, --out <folder>', text: 'library to keep it in; that of the episode, else recordings' },
    ],
    examples: [
      [
        'kinescribe calibrate recordings/my-robot-0001.mcap',
        'from 20 s in which the robot moves and touches nothing',
      ],
      [
        'kinescribe calibrate -s ros2 -c my-robot.yaml -o recordings',
        'record these 20 s now; says what was stored, and what looks implausible',
      ],
    ],
    run: async (args, options) => (await import('./commands/calibrate.ts')).calibrate(args, options),
  },
  {
    name: 'explain',
    summary: 'What a check looks for, why it fails and what to do; all checks if none is named.',
    arguments: '[check]',
    options: [{ flags: '--markdown', text: 'the table of all checks as Markdown' }],
    examples: [
      ['kinescribe explain T07', 'cause, formula, limits, remedy and an example'],
      ['kinescribe explain', 'the table of all checks'],
    ],
    run: async (args, options) => (await import('./commands/explain.ts')).explain(args, options),
  },
];
