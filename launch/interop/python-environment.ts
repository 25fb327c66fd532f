import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MissingFeatureError } from '../../schemas/errors.ts';

const run = promisify(execFile);

/** The Python programs that our files are made for. */
export interface PythonEnvironment {
  readonly python: string;
  /** Why the tests of a group cannot run, by group; empty where they can. */
  readonly missing: Readonly<Partial<Record<Group, string>>>;
}

export type Group = keyof typeof GROUPS;

interface Packages {
  /** Arguments of one `pip install` each, in this order. */
  readonly installs: readonly (readonly string[])[];
  /** They work on top of torch. */
  readonly torch?: true;
  /** Folder of the environment for packages that others would not bear beside them. @default where all lie */
  readonly folder?: string;
}

/** In the order in which they are installed. */
const GROUPS = {
  readers: {
    installs: [
      ['numpy', 'pillow', 'msgpack==1.2.4', 'webdataset==1.0.2', 'simplejpeg==1.9.0'],
      ['mcap==1.6.0', 'mcap-ros2-support==0.6.0', 'rosbags==0.11.9'],
    ],
  },
  lerobot: {
    torch: true,
    installs: [
      // The newest LeRobot for Python 3.10 and 3.11. It asks for an older torch than there are CPU builds of
      // here, and for a hundred packages of robots and training, so what its dataset code imports is named.
      ['--no-deps', 'lerobot==0.4.4', 'torchvision==0.25.0', 'torchcodec==0.13.0'],
      [
        'datasets>=4,<5',
        'huggingface-hub>=0.34.2,<0.36',
        'packaging>=24.2,<26',
        'accelerate>=1.10,<2',
        'av>=15,<16',
      ],
    ],
  },
  // The last LeRobot of version 2.1, and the packages that it needs older than the group above has them.
  lerobotV21: {
    torch: true,
    folder: 'lerobot-v21',
    installs: [
      [
        '--no-deps',
        'lerobot==0.3.3',
        'datasets==3.6.0',
        'dill==0.3.8',
        'multiprocess==0.70.16',
        'fsspec==2025.3.0',
        'pandas>=2,<3',
        'pytz',
        'jsonlines',
        'attrs',
        'draccus==0.10.0',
        'mergedeep',
        'typing-inspect',
        'mypy-extensions',
        'pyyaml-include<2',
        'toml',
        'einops',
      ],
    ],
  },
  robomimic: {
    torch: true,
    // Of what robomimic asks for its dataset code imports little; the rest is for simulators and training.
    installs: [
      ['h5py==3.14.0', 'tqdm', 'termcolor', 'psutil', 'six', 'matplotlib'],
      // There is no wheel of it.
      ['--no-deps', '--no-binary', 'robomimic', 'robomimic==0.3.0', 'torchvision==0.25.0'],
    ],
  },
  zarr: { installs: [['zarr==2.18.7', 'numcodecs==0.15.1']] },
  // There is no wheel of promise.
  tensorflow: {
    installs: [['--no-binary', 'promise', 'tensorflow-cpu==2.21.0', 'tensorflow-datasets==4.9.10']],
  },
} as const satisfies Readonly<Record<string, Packages>>;

const GROUP_NAMES = Object.keys(GROUPS) as Group[];

/** Without CUDA; on Linux the registry's own build would bring gigabytes of it. */
const TORCH = ['--extra-index-url', 'https://download.pytorch.org/whl/cpu', 'torch==2.13.0'];

/** An installation that takes longer than this is given up, milliseconds. */
const LIMIT = 8 * 60_000;

/** Makes a virtual environment, or takes the one of an earlier run; says what it could not have and why. */
export async function preparePython(directory: string): Promise<PythonEnvironment> {
  const python = join(directory, 'bin', 'python');
  try {
    await run(python, ['--version']);
  } catch {
    const found = await findPython();
    const reason = found
      ? await attempt(() => run(found, ['-m', 'venv', directory]))
      : 'there is no Python 3.10 or newer';
    if (reason !== undefined) {
      return { python, missing: told(Object.fromEntries(GROUP_NAMES.map((group) => [group, reason]))) };
    }
  }
  const missing: Partial<Record<Group, string>> = {};
  for (const group of GROUP_NAMES) {
    const reason = await attempt(() => install(directory, group));
    if (reason !== undefined) missing[group] = reason;
  }
  return { python, missing: told(missing) };
}

/** 3.11 first: all packages of all groups have wheels for it. */
async function findPython(): Promise<string | undefined> {
  const check = 'import sys, venv; sys.exit(sys.version_info < (3, 10))';
  for (const name of ['python3.11', 'python3.12', 'python3.10', 'python3.13', 'python3']) {
    if ((await attempt(() => run(name, ['-c', check]))) === undefined) return name;
  }
  return undefined;
}

async function install(directory: string, group: Group): Promise<void> {
  const done = join(directory, 'kinescribe', `${group}.json`);
  const { installs, torch, folder }: Packages = GROUPS[group];
  const wanted = JSON.stringify([GROUPS[group], TORCH]);
  if ((await readFile(done, 'utf8').catch(() => '')) === wanted) return;
  console.log(`interop: installing Python packages of group "${group}" into ${directory} …`);
  const began = performance.now();
  if (torch) await installTorch(directory);
  const target = folder ? ['--target', join(directory, folder)] : [];
  for (const packages of installs) await pip(directory, ['install', '--quiet', ...target, ...packages]);
  await mkdir(join(directory, 'kinescribe'), { recursive: true });
  await writeFile(done, wanted);
  console.log(`interop: group "${group}" took ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

/** Asks first which build would be taken: nothing is downloaded for the answer. */
async function installTorch(directory: string): Promise<void> {
  const dryRun = ['install', '--quiet', '--dry-run', '--ignore-installed', '--no-deps', '--report', '-'];
  const report = JSON.parse(await pip(directory, [...dryRun, ...TORCH]));
  const build: string = report.install[0].download_info.url;
  if (process.platform === 'linux' && !/[+]cpu|%2Bcpu/.test(build)) {
    throw new MissingFeatureError(`there is no CPU build of torch 2.13.0 to be had, only ${build}`);
  }
  await pip(directory, ['install', '--quiet', ...TORCH]);
}

async function pip(directory: string, [command, ...args]: readonly string[]): Promise<string> {
  const options = [
    '--only-binary',
    ':all:',
    '--no-input',
    '--disable-pip-version-check',
    '--retries',
    '1',
    '--timeout',
    '30',
  ];
  const all = ['-m', 'pip', command!, ...options, ...args];
  const { stdout } = await run(join(directory, 'bin', 'python'), all, { timeout: LIMIT, maxBuffer: 1 << 24 });
  return stdout;
}

/** @returns undefined on success, else the last thing that was said. */
async function attempt(action: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    const { stderr, killed, message } = error as Error & { stderr?: string; killed?: boolean };
    if (killed) return `it took longer than ${LIMIT / 1000} s`;
    return stderr?.trim().split('\n').at(-1) || message;
  }
}

function told(missing: PythonEnvironment['missing']): PythonEnvironment['missing'] {
  for (const [group, reason] of Object.entries(missing)) {
    console.warn(`interop: the tests of group "${group}" are skipped: ${reason}`);
  }
  return missing;
}
