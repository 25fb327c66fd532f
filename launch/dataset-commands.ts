import type { Command } from './command.ts';

const contractOption = {
  flags: '-c, --contract <file>',
  text: 'the YAML file that says what the streams are and how samples are made',
  required: false,
};

/** Commands about datasets. */
export const DATASET_COMMANDS: readonly Command[] = [
  {
    name: 'convert',
    summary: 'Make training datasets of episodes, several formats in one pass.',
    arguments: '<episode-or-library...>',
    options: [
      {
        ...contractOption,
        text: `${contractOption.text}; else the one stored in the first episode`,
      },
      {
        flags: '-f, --format <names>',
        text: 'one or more of lerobot, lerobot-v21, webdataset, rlds, zarr, zarr-zip, robomimic, act, vla-foundry',
        default: 'lerobot,webdataset',
      },
      {
        flags: '-o, --out <folder>',
        text: 'folder that gets one folder per format',
        default: 'datasets',
      },
      { flags: '-n, --dry-run', text: 'write nothing: frames, masks and ages that would come of it' },
      {
        flags: '-w, --workers <number>',
        text: 'recordings prepared at the same time; as many as there are cores if not given',
        value: 'number',
      },
      { flags: '--resume', text: 'go on where a conversion was cut off' },
      { flags: '--append', text: 'add episodes to datasets that exist; the others are not converted again' },
      {
        flags: '--strict',
        text: 'an episode that fails ends it all; else it is left out, and the exit code is 3',
      },
      {
        flags: '--require <verdict>',
        text: 'sound: leave out episodes that the checks exclude; pass: all but those that pass',
        choices: ['sound', 'pass'],
      },
      {
        flags: '--no-keep',
        text: 'remove what is prepared as soon as it is written: half the disk space, but --append converts all again',
      },
    ],
    examples: [
      ['kinescribe convert recordings', 'all episodes of the library, both formats'],
      ['kinescribe convert recordings --append', 'the same after more was recorded'],
      ['kinescribe convert recordings --dry-run', 'what every feature would be like, before any picture'],
      ['kinescribe convert a.mcap -c my-robot.yaml -f webdataset', 'one recording of any origin'],
    ],
    run: async (args, options) => (await import('./commands/convert.ts')).convert(args, options),
  },
  {
    name: 'verify',
    summary: 'Check a dataset: files and digests, counts, indices, timestamps, video frames.',
    arguments: '<dataset...>',
    options: [
      {
        flags: '--against <episode-or-library...>',
        text: 'compare every number and some pictures with the recordings',
      },
      {
        ...contractOption,
        text: `${contractOption.text}; else the one stored in a recording`,
      },
      {
        flags: '--pictures <number>',
        text: 'compared of each episode and camera',
        value: 'number',
        default: 4,
      },
      { flags: '--seed <number>', text: 'another seed compares other pictures', value: 'number', default: 0 },
      { flags: '--json', text: 'for programs' },
    ],
    examples: [
      ['kinescribe verify datasets/lerobot', 'exit code 0 when sound, 3 with each fault named'],
      ['kinescribe verify datasets/lerobot --against recordings', 'the same, and what the recordings say'],
    ],
    run: async (args, options) =>
      (await import('./commands/verify.ts')).verify([...args], {
        json: options.json === true,
        pictures: Number(options.pictures),
        seed: Number(options.seed),
        ...(Array.isArray(options.against) && { against: options.against.map(String) }),
        ...(typeof options.contract === 'string' && { contract: options.contract }),
      }),
  },
  {
    name: 'import',
    summary: 'Make episodes of a LeRobot dataset, so that it can be checked, replayed and converted again.',
    arguments: '<dataset>',
    options: [
      { flags: '-o, --out <folder>', text: 'library: the folder of episodes', default: 'imported' },
      { flags: '-n, --name <name>', text: "of the contract and the episodes; the folder's if not given" },
      {
        flags: '-u, --unit <units...>',
        text: 'in which joints are: rad, deg, m, mm or none; "deg gripper.pos=none" where one differs',
      },
      {
        flags: '--action-space <name>',
        text: 'what an action means',
        choices: ['abs_pos', 'delta_pos', 'vel', 'torque', 'ee_abs', 'ee_delta'],
      },
      {
        flags: '--video <form>',
        text: 'jpeg: pictures that checks and the page see; packets: H.264 and H.265 without loss, where possible',
        choices: ['jpeg', 'packets'],
        default: 'jpeg',
      },
      { flags: '-e, --episodes <numbers>', text: 'some of them, as "0,3,10-19"; all if not given' },
    ],
    examples: [
      ['kinescribe import datasets/so101 --unit deg gripper.pos=none', 'episodes and their contract'],
      ['kinescribe import datasets/g1 --unit rad --action-space abs_pos -o g1', 'with what an action means'],
    ],
    run: async (args, options) => (await import('./commands/import.ts')).importDataset(args, options),
  },
];
