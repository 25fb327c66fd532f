import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ScriptedSource } from '../../recorder/scripted-source.ts';
import type { SourceSink } from '../../recorder/source.ts';
import type { Contract } from '../../schemas/contract.ts';
import { parseContract } from '../../schemas/contract-file.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { SourceError } from '../../schemas/errors.ts';
import { channelSpec, temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { expectedRate } from './expected-rate.ts';
import { checkClock, checkNode } from './machine-checks.ts';
import { checkReceiveBuffer, checkRos, checkTypes } from './ros-checks.ts';
import { checkLines, type StartCheck } from './start-check.ts';
import { recordingChecks } from './start-checks.ts';
import { checkLeftovers, checkSpace, checkWriteSpeed } from './storage-checks.ts';
import { checkStreams } from './stream-check.ts';

const { contract } = parseContract(
  `
kinescribe: 1
name: cell
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: std_msgs/msg/String, rateHz: 100 }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/Image, rateHz: 30 }
  wrong: { topic: /wrong, role: context, type: std_msgs/msg/Bool, required: false }
  latched: { topic: /latched, role: context, type: std_msgs/msg/String }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block], maxDurationSecs: 100 }
`,
  'cell.yaml',
);
const rate = (bytesPerSec: number) => ({ bytesPerSec, basis: 'a test' });

describe('checkNode()', () => {
  it.each([
    ['22.17.9', 'fault'],
    ['22.18.0', 'well'],
    ['24.0.0', 'well'],
    ['20.20.2', 'fault'],
  ])('finds %s: %s', (version, verdict) => {
    expect(checkNode(version).verdict).toBe(verdict);
  });
});

describe('checkRos() and checkTypes()', () => {
  it('tell what to source where ROS 2 is not', () => {
    expect(checkRos({})).toMatchObject({
      verdict: 'fault',
      found: expect.stringContaining('ROS_DISTRO is not set.'),
      remedy: expect.stringMatching(/^Run "source .*npm install rclnodejs/),
    });
  });

  it('name the packages of types that are not installed', async () => {
    await using folder = await temporaryFolder();
    const messages = join(folder.path, 'share', 'std_msgs', 'msg');
    await mkdir(messages, { recursive: true });
    await writeFile(join(messages, 'String.msg'), 'string data\n');
    await writeFile(join(messages, 'Bool.msg'), 'bool data\n');
    await writeFile(join(folder.path, 'librcl.so'), '');
    const env = { ROS_DISTRO: 'jazzy', AMENT_PREFIX_PATH: folder.path, LD_LIBRARY_PATH: folder.path };
    expect(await checkTypes(contract, env)).toMatchObject({
      verdict: 'fault',
      found: 'not installed: sensor_msgs/msg/Image',
      remedy: expect.stringContaining('ros-jazzy-sensor-msgs"'),
    });
  });
});

describe('checkReceiveBuffer()', () => {
  const CYCLONE = { RMW_IMPLEMENTATION: 'rmw_cyclonedds_cpp' };
  const told = '<CycloneDDS><SocketReceiveBufferSize min="32MB"/></CycloneDDS>';
  /** Limits [rmem_max, rmem_default], environment, bytes per second, verdict. */
  const ROWS: [string, [number, number], NodeJS.ProcessEnv, number | undefined, StartCheck['verdict']][] = [
    ['a stock kernel', [212_992, 212_992], {}, undefined, 'fault'],
    ['a default that was raised', [33_554_432, 33_554_432], {}, undefined, 'well'],
    ['a limit alone, which Fast DDS does not use', [33_554_432, 212_992], {}, undefined, 'fault'],
    ['Cyclone DDS that asks for little', [33_554_432, 212_992], CYCLONE, undefined, 'fault'],
    [
      'Cyclone DDS that was told',
      [33_554_432, 212_992],
      { ...CYCLONE, CYCLONEDDS_URI: told },
      undefined,
      'well',
    ],
    ['a robot without cameras', [212_992, 212_992], {}, 500_000, 'well'],
    ['four raw cameras', [4_194_304, 4_194_304], {}, 166e6, 'fault'],
    ['four raw cameras and the remedy', [33_554_432, 33_554_432], {}, 166e6, 'well'],
  ];
  it.each(ROWS)('judges %s', async (_, [max, preset], env, bytesPerSec, verdict) => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'rmem_max'), `${max}\n`);
    await writeFile(join(folder.path, 'rmem_default'), `${preset}\n`);
    const check = await checkReceiveBuffer({
      ...{ folder: folder.path, env },
      ...(bytesPerSec !== undefined && { rate: rate(bytesPerSec) }),
    });
    expect(check.verdict).toBe(verdict);
    expect(check.remedy ?? '').toMatch(verdict === 'fault' ? /sysctl -w net\.core\.rmem_max/ : /^$/);
  });

  it('assesses nothing where the system tells nothing', async () => {
    expect((await checkReceiveBuffer({ folder: '/nonexistent' })).verdict).toBe('unknown');
  });
});

describe('checkClock()', () => {
  const chrony = (leap: string) =>
    `A,1.2.3.4,2,1700000000.1,0.000123,0.1,0.1,1.0,0.1,0.1,0.01,0.01,64.5,${leap}\n`;
  /** As linuxptp 3.1 writes it. */
  const PTP = (isPresent: string) => `sending: GET TIME_STATUS_NP
\t90e2ba.fffe.20c7f8-0 seq 0 RESPONSE MANAGEMENT TIME_STATUS_NP
\t\tmaster_offset              -4120
\t\tingress_time               1413219340
\t\tgmPresent                  ${isPresent}
\t\tgmIdentity                 90e2ba.fffe.24ab9c
`;
  const ROWS: [string, Record<string, string>, StartCheck['verdict'], RegExp][] = [
    ['chrony in step', { chronyc: chrony('Normal') }, 'well', /chrony, 0\.123 ms off/],
    ['chrony without a server', { chronyc: chrony('Not synchronised') }, 'note', /not synchronised \(chrony/],
    [
      'chrony that answers nonsense',
      { chronyc: '506 Cannot talk', timedatectl: 'yes\n' },
      'well',
      /timedatectl/,
    ],
    ['PTP with a grandmaster', { pmc: PTP('true'), timedatectl: 'no\n' }, 'well', /PTP, -0\.004 ms off/],
    ['PTP without a grandmaster', { pmc: PTP('false'), timedatectl: 'no\n' }, 'note', /timedatectl/],
    ['systemd out of step', { timedatectl: 'no\n' }, 'note', /timedatectl/],
    ['the kernel out of step', { adjtimex: '   status: 64\n' }, 'note', /adjtimex/],
    ['the kernel in step', { adjtimex: '   status: 8193\n' }, 'well', /adjtimex/],
    ['nobody who knows', {}, 'unknown', /found no/],
  ];
  it.each(ROWS)('hears %s', async (_, answers, verdict, found) => {
    const check = await checkClock(async (program) => {
      const answer = answers[program];
      if (answer === undefined) throw new Error('ENOENT');
      return answer;
    });
    expect(check.verdict).toBe(verdict);
    expect(check.found).toMatch(found);
    expect(check.remedy === undefined).toBe(verdict !== 'note');
  });
});

describe('the checks of storage', () => {
  it('measure the library without leaving anything, also before it is there', async () => {
    await using folder = await temporaryFolder();
    const directory = join(folder.path, 'not', 'yet');
    const storage = { directory, rate: rate(1000), maxDurationSecs: 60 };
    expect((await checkSpace(storage)).verdict).toBe('well');
    expect((await checkWriteSpeed(storage)).verdict).toBe('well');
    expect((await checkLeftovers(storage)).verdict).toBe('well');
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('find a disk too small, too slow, or not writable', async () => {
    await using folder = await temporaryFolder();
    const storage = { directory: folder.path, rate: rate(1e15), maxDurationSecs: 60 };
    expect(await checkSpace(storage)).toMatchObject({ verdict: 'fault', remedy: expect.any(String) });
    expect(await checkWriteSpeed(storage)).toMatchObject({ verdict: 'fault', remedy: expect.any(String) });
    expect(await checkWriteSpeed({ directory: '/proc' })).toMatchObject({
      verdict: 'fault',
      found: expect.stringContaining('"/proc" cannot be written'),
    });
  });

  it('name what a crash has left, with the command that recovers it', async () => {
    await using folder = await temporaryFolder();
    const part = join(folder.path, 'cell-0003.mcap.part');
    await writeFile(part, '');
    expect(await checkLeftovers({ directory: folder.path })).toMatchObject({
      verdict: 'note',
      remedy: `kinescribe recover "${part}"`,
    });
  });
});

describe('expectedRate()', () => {
  it('estimates by types, and measures the last episode of the contract as soon as there is one', async () => {
    await using folder = await temporaryFolder();
    const estimated = await expectedRate(contract, folder.path);
    expect(estimated.bytesPerSec).toBeCloseTo(30 * 640 * 480 * 3 + 100 * 1000, -3);
    const file = join(folder.path, 'cell-0001.mcap');
    const writer = await EpisodeWriter.open(file);
    const channelId = writer.addChannel(channelSpec('/joints'));
    for (const logTime of [1n, 4_000_000_001n]) {
      const data = crypto.getRandomValues(new Uint8Array(40_000));
      await writer.write({ channelId, sequence: 0, logTime, publishTime: logTime, data });
    }
    await writer.close();
    await writeFile(join(folder.path, 'zz-other-0001.mcap'), 'not of this contract');
    const measured = await expectedRate(contract, folder.path);
    expect(measured.basis).toContain('cell-0001.mcap');
    expect(measured.bytesPerSec).toBeGreaterThan(20_000);
    expect(measured.bytesPerSec).toBeLessThan(21_000);
  });
});

/** Offers channels, sends so many messages, and ends. */
class BriefSource extends ScriptedSource {
  readonly #counts: readonly number[];
  constructor(topics: Readonly<Record<string, number>>) {
    super(
      Object.keys(topics).map((topic) => channelSpec(topic)),
      0n,
    );
    this.#counts = Object.values(topics);
  }
  override async start(sink: SourceSink): Promise<void> {
    await super.start(sink);
    this.#counts.forEach((count, channelKey) => {
      for (let i = 0; i < count; i++) this.send({ channelKey, logTime: 0n, data: new Uint8Array(8) });
    });
    setTimeout(() => {
      this.clock.time = 2_000_000_000n;
      sink.ended();
    }, 20);
  }
}

describe('checkStreams()', () => {
  it('finds streams that are absent, silent, slow or of another type', async () => {
    const topics = { '/joints': 150, '/wrong': 1, '/latched': 0 };
    const checks = await checkStreams(contract, async () => new BriefSource(topics));
    expect(checks.map(({ name, verdict, found }) => [name, verdict, found])).toEqual([
      ['stream joints', 'fault', '"/joints" 75.0 Hz, the contract says 100 Hz'],
      ['stream camera', 'fault', 'nobody offers "/camera"'],
      ['stream wrong', 'note', '"/wrong" is a "std_msgs/msg/String", the contract says "std_msgs/msg/Bool"'],
      ['stream latched', 'fault', '"/latched" is offered but silent for 2.0 s'],
    ]);
    expect(checks.every(({ remedy }) => remedy)).toBe(true);
  });

  it('passes streams that keep to the contract', async () => {
    const joints = { ...contract, streams: { joints: contract.streams.joints! } } satisfies Contract;
    const checks = await checkStreams(joints, async () => new BriefSource({ '/joints': 195 }));
    expect(checks.map(({ verdict }) => verdict)).toEqual(['well']);
  });

  it('reports a robot that cannot be reached', async () => {
    const checks = await checkStreams(contract, async () => {
      throw new SourceError('Cannot record from "ws://robot": it is switched off.');
    });
    expect(checks).toEqual([
      expect.objectContaining({ verdict: 'fault', found: expect.stringContaining('off') }),
    ]);
  });
});

describe('recordingChecks()', () => {
  it('looks at ROS only where ROS is the source', async () => {
    await using folder = await temporaryFolder();
    const names = async (source: string) =>
      (await recordingChecks({ directory: folder.path, source, contract })).map(({ name }) => name);
    const common = ['disk space', 'disk speed', 'unfinished takes', 'clock'];
    expect(await names('foxglove')).toEqual(common);
    expect(await names('ros2')).toEqual(expect.arrayContaining(['ROS 2', 'UDP receive buffer', ...common]));
  });
});

describe('checkLines()', () => {
  it('puts each remedy under its check', () => {
    const lines = checkLines([
      { name: 'clock', verdict: 'unknown', found: 'nobody knows' },
      { name: 'disk', verdict: 'fault', found: 'full', remedy: 'rm' },
    ]);
    expect(lines).toEqual([
      'not assessed  clock  nobody knows',
      'FAULT         disk   full',
      '                     → rm',
    ]);
  });
});
