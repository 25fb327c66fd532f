import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { EpisodeWriter } from '../schemas/episode-writer.ts';
import type { ChannelSpec } from '../schemas/message.ts';

/** Small episodes for this folder's tests; messages are JSON so that a test can read them. */

export const START = 1_700_000_000_000_000_000n;
export const MILLI = 1_000_000n;

export interface FixtureTopic extends Partial<Omit<ChannelSpec, 'topic'>> {
  /** When messages are, milliseconds after START. */
  readonly atMillis: readonly number[];
  /** What each message is. @default `{"n":<index>}` as JSON */
  readonly payload?: (index: number) => Uint8Array;
}

export interface FixtureEpisode extends AsyncDisposable {
  readonly directory: string;
  readonly file: string;
  readonly reader: EpisodeReader;
}

/** Writes the topics' messages in order of time and opens the file. */
export async function fixtureEpisode(
  topics: Readonly<Record<string, FixtureTopic>>,
  finish?: (writer: EpisodeWriter) => Promise<unknown>,
): Promise<FixtureEpisode> {
  const directory = await mkdtemp(join(tmpdir(), 'kinescribe-viewer-'));
  const file = join(directory, 'arm-0001.mcap');
  await writeFixture(file, topics, finish);
  const reader = await EpisodeReader.open(file);
  return {
    directory,
    file,
    reader,
    async [Symbol.asyncDispose]() {
      await reader.close();
      await rm(directory, { recursive: true });
    },
  };
}

export async function writeFixture(
  file: string,
  topics: Readonly<Record<string, FixtureTopic>>,
  finish?: (writer: EpisodeWriter) => Promise<unknown>,
): Promise<void> {
  const writer = await EpisodeWriter.open(file);
  const messages = Object.entries(topics).flatMap(([topic, { atMillis, payload, ...spec }]) => {
    const channelId = writer.addChannel({
      topic,
      messageEncoding: 'json',
      schema: undefined,
      metadata: new Map(),
      ...spec,
    });
    return atMillis.map((millis, sequence) => {
      const logTime = START + BigInt(Math.round(millis * 1e6));
      const data = payload?.(sequence) ?? new TextEncoder().encode(`{"n":${sequence}}`);
      return { channelId, sequence, logTime, publishTime: logTime, data };
    });
  });
  messages.sort((a, b) => Number(a.logTime - b.logTime));
  for (const message of messages) await writer.write(message);
  await finish?.(writer);
  await writer.close();
}

/** Every `periodMillis` from `fromMillis` on, before `toMillis`. */
export function every(periodMillis: number, fromMillis: number, toMillis: number): number[] {
  const count = Math.ceil((toMillis - fromMillis) / periodMillis);
  return Array.from({ length: count }, (_, i) => fromMillis + i * periodMillis);
}

/** The channel metadata of a latched topic, as rosbag2 writes it. */
export function latchedMetadata(...depths: readonly number[]): ReadonlyMap<string, string> {
  const profiles = depths.map(
    (depth) => `- history: 1\n  depth: ${depth}\n  reliability: 1\n  durability: 1\n`,
  );
  return new Map([['offered_qos_profiles', profiles.join('')]]);
}
