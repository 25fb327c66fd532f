import type { Command } from './command.ts';
import { DATASET_COMMANDS } from './dataset-commands.ts';
import { QUALITY_COMMANDS } from './quality-commands.ts';
import { SOURCE_OPTION, URL_OPTION } from './source-options.ts';
import { TOPIC_OPTIONS } from './topic-options.ts';

const out = (text: string, preset: string) => ({ flags: '-o, --out <folder>', text, default: preset });
const contractOption = {
  flags: '-c, --contract <file>',
  text: 'the YAML file that says what the streams are and how samples are made',
  required: true,
};
const sourceOptions = [{ ...SOURCE_OPTION, default: 'ros2' }, URL_OPTION];

const hostOption = {
  flags: '--host <address>',
  text: 'address to listen on; any other than loopback needs a token',
  default: '127.0.0.1',
};
const tokenOption = { flags: '--token <text>', text: 'what a client has to know' };
const tlsOptions = [
  { flags: '--tls-cert <file>', text: 'certificate, PEM: everything served is encrypted' },
  { flags: '--tls-key <file>', text: 'its private key, PEM' },
];

/** Every command of the program; each loads its code only when it is called. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'demo',
    summary: 'The whole way with a simulated robot: record, convert, verify, replay. No ROS, no hardware.',
    options: [
      out('folder for recordings and datasets, made anew', 'demo'),
      { flags: '--seed <number>', text: 'another seed, another block position', value: 'number', default: 1 },
      { flags: '--port <number>', text: 'port of the replay', value: 'number', default: 8765 },
      { flags: '--no-serve', text: 'end after the verification instead of serving the replay' },
    ],
    examples: [
      ['kinescribe demo', 'record two episodes, make both datasets, serve the replay'],
      ['kinescribe demo --no-serve --out /tmp/demo', 'the same without the replay'],
    ],
    run: async (_args, options) => (await import('./commands/demo.ts')).demo(options),
  },
  {
    name: 'record',
    summary: 'Record takes from a robot into a library of episodes.',
    options: [
      {
        ...contractOption,
        text: `${contractOption.text}; without one, --all or --topics say what to record`,
        required: false,
      },
      ...sourceOptions,
      out('library: the folder of episodes', 'recordings'),
      { flags: '-t, --task <text>', text: "one of the contract's tasks; the first one if not given" },
      { flags: '--operator <name>', text: 'who records, as a pseudonym', default: 'unknown' },
      { flags: '--scene <text>', text: "one of the contract's scenes" },
      { flags: '--object <text>', text: "one of the contract's objects" },
      { flags: '--plan <file>', text: 'what to record and how often; plan.yaml of the library if not given' },
      { flags: '--all', text: "every topic but hidden ones, not only the contract's" },
      ...TOPIC_OPTIONS,
      { flags: '--pedal <device>', text: 'a USB foot pedal or button box, a file under /dev/input/by-id' },
      {
        flags: '--pedal-keys <map>',
        text: 'what its keys do: start stop toggle success failure keep discard mistake pause resume',
        default: 'a=toggle,b=mistake,c=discard',
      },
      {
        flags: '--serve [port]',
        text: "serve the operator's page, for a tablet beside the robot; port 8765 if not given",
        value: 'number',
      },
      hostOption,
      tokenOption,
      ...tlsOptions,
      { flags: '--metrics', text: 'serve figures for Prometheus under /metrics' },
      {
        flags: '--sound',
        text: 'ring the terminal bell: once for a start, twice for a stop, four times for trouble',
      },
      {
        flags: '--no-checks',
        text: 'spare the computer the checks while recording; "kinescribe check" makes them later',
      },
      { flags: '--changed-contract', text: 'go on in a library that was begun under another version of it' },
      { flags: '-d, --duration <secs>', text: 'no keyboard: record takes of this length', value: 'number' },
      { flags: '-n, --takes <number>', text: 'with --duration: how many', value: 'number', default: 1 },
    ],
    examples: [
      ['kinescribe record -c my-robot.yaml', 'takes by keyboard: space starts and stops'],
      [
        'kinescribe record -c my-robot.yaml --serve --host 0.0.0.0 --token secret',
        'and by the page on a tablet; prints its address',
      ],
      [
        'kinescribe record -c launch/contracts/demo-arm.yaml -s demo -d 10',
        'ten seconds of the simulated robot',
      ],
      [
        'kinescribe record --all --exclude image_raw -d 60',
        'one minute of all other topics, without a contract',
      ],
      [
        'kinescribe record -c my-robot.yaml -s foxglove -u ws://robot:8765',
        'a robot that runs a Foxglove bridge; no ROS here',
      ],
    ],
    run: async (args, options) => (await import('./commands/record.ts')).record(args, options),
  },
  {
    name: 'doctor',
    summary: 'What will hurt recording on this machine and robot, each with the command that repairs it.',
    options: [
      { ...contractOption, text: `${contractOption.text}; also looks at its streams`, required: false },
      ...sourceOptions,
      out('library: the folder of episodes', 'recordings'),
      { flags: '--json', text: 'for programs' },
    ],
    examples: [
      ['kinescribe doctor', 'this machine: ROS 2, receive buffers, disk, clock, video encoder'],
      [
        'kinescribe doctor -c my-robot.yaml',
        'and the robot: streams that are silent, slow or of another type',
      ],
    ],
    run: async (args, options) => (await import('./commands/doctor.ts')).doctor(args, options),
  },
  {
    name: 'info',
    summary: 'What an episode or any MCAP file holds, and what is missing from it.',
    arguments: '<episode...>',
    options: [
      { flags: '--json', text: 'for programs' },
      { flags: '--deep', text: 'read everything and check every checksum' },
    ],
    examples: [
      ['kinescribe info recordings/my-robot-0001.mcap', 'duration, streams, rates, losses'],
      ['kinescribe info --json some.mcap', 'the same as JSON'],
    ],
    run: async (args, options) =>
      (await import('./commands/info.ts')).info([...args], {
        json: options.json === true,
        deep: options.deep === true,
      }),
  },
  ...QUALITY_COMMANDS,
  {
    name: 'recover',
    summary: 'Turn a recording that was cut off or damaged into a valid episode; the input is never touched.',
    arguments: '<file...>',
    options: [{ flags: '-o, --output <file>', text: 'where to write; beside the input if not given' }],
    examples: [['kinescribe recover recordings/my-robot-0007.mcap.part', 'writes my-robot-0007.mcap']],
    run: async (args, options) =>
      (await import('./commands/recover.ts')).recover([...args], {
        ...(typeof options.output === 'string' && { output: options.output }),
      }),
  },
  ...DATASET_COMMANDS,
  {
    name: 'view',
    summary: 'Replay episodes in the browser, Foxglove or Lichtblick.',
    arguments: '<episode-or-library...>',
    options: [
      { flags: '-p, --port <number>', text: 'TCP port; 0 takes a free one', value: 'number', default: 8765 },
      hostOption,
      tokenOption,
      ...tlsOptions,
      {
        flags: '--origin <url...>',
        text: "web origins that may read too, beside this machine's and Foxglove's",
      },
      {
        ...contractOption,
        text: 'contract whose frames are shown for recordings that carry none',
        required: false,
      },
      { flags: '--shared', text: 'one playback for all clients of an episode' },
    ],
    examples: [
      ['kinescribe view recordings', 'prints the addresses for browser, Foxglove and Lichtblick'],
      ['kinescribe view some.mcap -c my-robot.yaml', 'with what a policy would see of it'],
    ],
    run: async (args, options) =>
      (await import('./commands/view.ts')).view([...args], {
        port: Number(options.port),
        ...(await (await import('./serving-options.ts')).servingOptions(options)),
        ...(typeof options.contract === 'string' && { contract: options.contract }),
        shared: options.shared === true,
      }),
  },
  {
    name: 'play',
    summary: 'Publish an episode back into ROS 2, byte for byte and at its pace.',
    arguments: '<episode>',
    options: [
      { flags: '-r, --rate <factor>', text: 'recorded seconds per second', value: 'number', default: 1 },
      { flags: '-l, --loop', text: 'begin again at the end, until Ctrl+C' },
      {
        flags: '--start <secs>',
        text: 'leave out the beginning; its latched messages are published first',
        value: 'number',
        default: 0,
      },
      {
        flags: '--delay <secs>',
        text: 'wait before the first message, so that subscribers find the publishers',
        value: 'number',
        default: 1,
      },
      ...TOPIC_OPTIONS,
      { flags: '--remap <names...>', text: 'publish under another name: /recorded/name:=/new/name' },
      {
        flags: '--clock [hz]',
        text: 'publish the recorded time on /clock; 40 times a second if not given',
        value: 'number',
      },
    ],
    examples: [
      ['kinescribe play recordings/my-robot-0001.mcap', 'all topics, with their recorded quality of service'],
      [
        'kinescribe play my-robot-0001.mcap --loop --rate 0.5 --clock',
        'slowly, over and over, for nodes with use_sim_time',
      ],
      [
        'kinescribe play my-robot-0001.mcap --topics joint_states --remap /joint_states:=/replay/joint_states',
        'one topic beside the live robot',
      ],
    ],
    run: async (args, options) => (await import('./commands/play.ts')).play(args, options),
  },
  {
    name: 'layout',
    summary: 'Write a layout for Foxglove or Lichtblick: a panel for every stream, by its role.',
    arguments: '<contract-or-episode>',
    options: [
      {
        flags: '-f, --format <name>',
        text: 'lichtblick, which older Foxglove reads too, or foxglove, its new format',
        choices: ['lichtblick', 'foxglove'],
        default: 'lichtblick',
      },
      { flags: '--live', text: 'for the robot while it is recorded, not for a replay; needs a contract' },
      { flags: '-o, --output <file>', text: 'a new file; standard output if not given' },
    ],
    examples: [
      ['kinescribe layout my-robot.yaml -o my-robot.json', 'import it in Lichtblick or Foxglove'],
      ['kinescribe layout my-robot.yaml --live -o live.json', 'for the live preview of "record --serve"'],
      ['kinescribe layout recordings/my-robot-0001.mcap --format foxglove', 'for the streams of one episode'],
    ],
    run: async ([path = ''], options) =>
      (await import('./commands/layout.ts')).layout(path, {
        format: String(options.format),
        isLive: options.live === true,
        ...(typeof options.output === 'string' && { output: options.output }),
      }),
  },
  {
    name: 'contract init',
    summary:
      'Draft a contract from a recording, or from what a robot sends now; every guess bears a comment.',
    arguments: '[recording]',
    options: [
      ...sourceOptions.map(({ default: preset, ...option }) =>
        option.choices ? option : { ...option, default: preset },
      ),
      {
        flags: '-d, --duration <secs>',
        text: 'how much to look at; 8 of a robot, the first 120 of a recording if not given',
        value: 'number',
      },
      { flags: '-n, --name <name>', text: "name of the contract; the recording's or my-robot if not given" },
      { flags: '-o, --output <file>', text: 'a new file; standard output if not given' },
    ],
    examples: [
      ['kinescribe contract init some.mcap -o my-robot.yaml', 'streams, rates, features of any recording'],
      [
        'kinescribe contract init -s foxglove -u ws://robot:8765',
        'the same from a robot that is switched on',
      ],
    ],
    run: async (args, options) => (await import('./commands/contract-init.ts')).contractInit(args, options),
  },
  {
    name: 'contract check',
    summary: 'Check a contract and show what it asks for.',
    arguments: '<file...>',
    examples: [
      ['kinescribe contract check launch/contracts/demo-arm.yaml', 'every broken rule with its line'],
    ],
    run: async (args) => (await import('./commands/contract-check.ts')).contractCheck(args),
  },
];
