import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { jointState, type TestStream, testContract, writeTestEpisode } from './episode.fixture.ts';
import { episodeFrames } from './episode-frames.ts';

/**
 * 20 features at 50 Hz without pictures, as multiples of real time per CPU second, best of several runs: the
 * machine may be busy with other things.
 */
const SECS = 60;
const JOINTS = 7;

const folder = await mkdtemp(join(tmpdir(), 'kinescribe-'));
afterAll(() => rm(folder, { recursive: true }));

function stream(name: string, rateHz: number, secs = SECS): TestStream {
  const messages = Array.from({ length: secs * rateHz }, (_, i) => ({
    log: (i * 1000) / rateHz + 0.4,
    stamp: (i * 1000) / rateHz,
    value: jointState(Array.from({ length: JOINTS }, (_, joint) => Math.sin(i / 50 + joint))),
  }));
  return { topic: `/${name}`, type: 'sensor_msgs/msg/JointState', messages };
}

/** Features spread evenly over streams, every third of them interpolated. */
function contractOf(streams: readonly TestStream[]) {
  const names = streams.map(({ topic }) => topic.slice(1));
  return testContract(`
streams:
${names.map((name) => `  ${name}: { topic: /${name}, role: motion, type: sensor_msgs/msg/JointState }`).join('\n')}
features:
${Array.from({ length: 20 }, (_, i) => {
  const align = i % 3 === 0 ? 'linear' : 'hold';
  const field = i % 2 === 0 ? 'position' : `"position[name=${[...'gfedcba'].join(',')}]"`;
  return `  f${i}: { kind: vector, stream: ${names[i % names.length]}, field: ${field}, shape: [${JOINTS}], align: ${align}, toleranceSecs: 0.1 }`;
}).join('\n')}
samples: { tickRateHz: 50 }`);
}

test.each<[string, readonly TestStream[]]>([
  [
    '5 streams of 50 to 500 Hz',
    [
      stream('state', 200),
      stream('wrench', 500),
      stream('tactile', 100),
      stream('command', 50),
      stream('gripper', 50),
    ],
  ],
  ['20 streams of 50 Hz', Array.from({ length: 20 }, (_, i) => stream(`s${i}`, 50))],
])('episodeFrames() makes 20 features at 50 Hz from %s', async (name, streams) => {
  const file = join(folder, `${name}.mcap`);
  await writeTestEpisode(file, streams);
  const contract = contractOf(streams);
  const secs: number[] = [];
  for (let run = 0; run < 6; run++) {
    await using reader = await EpisodeReader.open(file);
    const start = process.cpuUsage();
    let frames = 0;
    for await (const _ of episodeFrames(reader, contract)) frames++;
    expect(frames).toBe(SECS * 50);
    const { user, system } = process.cpuUsage(start);
    secs.push((user + system) / 1e6);
  }
  const best = Math.min(...secs);
  console.log(
    `${name}: ${(SECS / best).toFixed(0)} × real time, ${((SECS * 50) / best).toFixed(0)} frames per CPU second`,
  );
});

/** What is still in use, whenever it is asked: garbage that waits to be collected is not counted. */
setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

async function usedMegabytes(): Promise<number> {
  if (typeof collect !== 'function') throw new TypeError('no garbage collector to call');
  collect();
  await new Promise(setImmediate); // buffers are let go after the collection that found them
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

test('episodeFrames() takes as long for each frame, and as much memory, of an episode a hundred times longer', async () => {
  // The longest first, which warms the compiler up for all.
  for (const secs of [600, 60, 6]) {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const file = join(folder, `${secs}.mcap`);
    await writeTestEpisode(
      file,
      names.map((name) => stream(name, 50, secs)),
    );
    const contract = contractOf(names.map((name) => stream(name, 50, 0)));
    const walk = async (onFrame?: (frames: number) => Promise<void>) => {
      await using reader = await EpisodeReader.open(file);
      const start = process.cpuUsage();
      let frames = 0;
      for await (const _ of episodeFrames(reader, contract)) {
        frames++;
        await onFrame?.(frames);
      }
      expect(frames).toBe(secs * 50);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / frames;
    };
    const before = await usedMegabytes();
    const micros = Math.min(await walk(), await walk(), await walk());
    let most = 0;
    await walk(async (frames) => {
      // Ten times on the way.
      if (frames % (secs * 5) === 0) most = Math.max(most, (await usedMegabytes()) - before);
    });
    console.log(
      `${secs} s: ${micros.toFixed(0)} µs CPU for each frame of 20 features, ${most.toFixed(1)} MB in use`,
    );
  }
});
