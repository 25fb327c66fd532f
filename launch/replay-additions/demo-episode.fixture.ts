import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTRACT_ATTACHMENT } from '../../schemas/episode.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { channelOf, STREAMS, type Topic } from '../demo-robot/streams.ts';
import { recordTake, START_TIME } from '../demo-robot/take.fixture.ts';

export interface DemoEpisodeOptions {
  /** Topics of the robot that nobody recorded. */
  readonly without?: readonly Topic[];
  /** Files that are attached beside the contract, by name. */
  readonly attachments?: Readonly<Record<string, string>>;
}

const take = recordTake({ durationSecs: 2.5 });

/** Two and a half seconds of the simulated robot, with its contract. */
export async function writeDemoEpisode(
  file: string,
  { without = [], attachments = {} }: DemoEpisodeOptions = {},
): Promise<void> {
  const contract = await readFile(join(import.meta.dirname, '../contracts/demo-arm.yaml'), 'utf8');
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  const channels = STREAMS.map((stream) =>
    without.includes(stream.topic) ? undefined : writer.addChannel(channelOf(stream)),
  );
  for (const { channelKey, logTime, data } of (await take).messages) {
    const channelId = channels[channelKey];
    if (channelId !== undefined) {
      await writer.write({ channelId, sequence: 0, logTime, publishTime: logTime, data });
    }
  }
  for (const [name, text] of Object.entries({ [CONTRACT_ATTACHMENT]: contract, ...attachments })) {
    const data = new TextEncoder().encode(text);
    await writer.addAttachment({ name, mediaType: 'text/plain', logTime: START_TIME, data });
  }
  await writer.close();
}
