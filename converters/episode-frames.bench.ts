import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

function stream(name: string, rateHz: number): TestStream {
  const messages = Array.from({ length: SECS * rateHz }, (_, i) => ({
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
