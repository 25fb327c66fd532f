import { existsSync, globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import type { Message } from './message.ts';
import { examineEpisode } from './recovery.ts';

const FOLDERS = '../shared/data/{rosbag2_test_bags,rerun_mcap_fixtures,crab_load_cell_gait}';
const files = existsSync('../shared/data') ? globSync(`${FOLDERS}/**/*.mcap`).sort() : [];

// Recordings of other writers: rosbag2, the Go, Rust, Python and C++ libraries.
describe.skipIf(files.length === 0)(`recordings of other programs (need ${FOLDERS})`, () => {
  test.each(files.map((file) => [file.replace(/^.*shared\/data\//, ''), file]))('%s', async (_, file) => {
    await using reader = await EpisodeReader.open(file);
    const latest = new Map<string, Message>();
    const forwards: string[] = [];
    let lastTime = 0n; // some Go writers leave a message at instant 0 out of the statistics' start
    for await (const message of reader.messages()) {
      expect(message.logTime).toBeGreaterThanOrEqual(lastTime);
      lastTime = message.logTime;
      latest.set(message.channel.topic, message);
      forwards.push(`${message.channel.id} ${message.sequence} ${message.logTime}`);
    }
    expect(forwards).toHaveLength(reader.messageCount);
    expect(lastTime + 1n).toBe(reader.endTime);
    const backwards: string[] = [];
    for await (const { channel, sequence, logTime } of reader.messages({ reverse: true })) {
      backwards.push(`${channel.id} ${sequence} ${logTime}`);
    }
    expect(backwards.reverse()).toEqual(forwards);
    const found = await reader.latestBefore(reader.endTime, latest.keys());
    expect(found).toEqual(latest);
    expect(await examineEpisode(file)).toMatchObject({ result: 'lossless', messageCount: forwards.length });
  });
});
