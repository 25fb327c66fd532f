import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EpisodeInfo } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { RecordError } from '../schemas/errors.ts';
import { EpisodeThread } from './episode-thread.ts';

const info: EpisodeInfo = {
  id: 'e-0001',
  contract: 'e',
  contractDigest: `sha256:${'0'.repeat(64)}`,
  robot: 'r',
  task: 't',
  operator: 'o',
  source: 'test',
  recorderVersion: '0',
  startTime: '1',
  clockSystemTime: '0',
  clockMonotonicNanos: '0',
};
const NO_LOSS = { totals: [], losses: [] };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('EpisodeThread', () => {
  it('takes channels and messages handed over before the file is there', async () => {
    const thread = new EpisodeThread(1 << 20);
    const file = join(directory, 'e-0001.mcap');
    const opened = thread.open(file, info, 'contract');
    thread.addChannel({ topic: '/a', messageEncoding: 'json', schema: undefined, metadata: new Map() });
    thread.offer({ channelId: 0, sequence: 1, logTime: 5n, publishTime: 5n, data: new Uint8Array([1, 2]) });
    await opened;
    expect(await thread.close(NO_LOSS)).toMatchObject({ episode: { file, messageCount: 1 } });
    await using reader = await EpisodeReader.open(file);
    expect(await reader.info()).toEqual(info);
    expect(await reader.attachments().next()).toMatchObject({ value: { name: 'contract.yaml' } });
  });

  it('reports a folder that is not there as a RecordError and refuses messages from then on', async () => {
    const thread = new EpisodeThread(1 << 20);
    await expect(thread.open(join(directory, 'gone', 'e.mcap'), info, '')).rejects.toThrow(RecordError);
    const message = { channelId: 0, sequence: 1, logTime: 5n, publishTime: 5n, data: new Uint8Array(8) };
    expect(thread.offer(message)).toBe(false);
    await expect(thread.close(NO_LOSS)).rejects.toThrow(/Recording broke off/);
  });
});
