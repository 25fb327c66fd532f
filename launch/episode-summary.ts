import type { Contract } from '../schemas/contract.ts';
import { parseContract } from '../schemas/contract-file.ts';
import {
  CONTRACT_ATTACHMENT,
  EPISODE_SUFFIX,
  type EpisodeInfo,
  RECOVERY_RECORD,
} from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { ContractError } from '../schemas/errors.ts';
import { type LabelEntry, readLabels } from '../schemas/labels.ts';
import type { Loss } from '../schemas/ledger.ts';
import type { Channel } from '../schemas/message.ts';
import { examineEpisode, type RecoveryReport } from '../schemas/recovery.ts';
import { nanosToSecs } from '../schemas/time.ts';

/** One topic of an episode. */
export interface StreamSummary {
  readonly topic: string;
  /** Name and role of the stream in the contract that the episode carries. */
  readonly name: string | undefined;
  readonly role: string | undefined;
  /** Message type, or the message encoding of messages without a definition. */
  readonly type: string;
  readonly messageCount: number;
  /** Mean over the episode; undefined for fewer than two messages. */
  readonly rateHz: number | undefined;
  readonly expectedRateHz: number | undefined;
  /** Longest time between two log times; only known after reading everything. */
  readonly largestGapSecs: number | undefined;
}

export interface CompressionSummary {
  /** `zstd`, `lz4` or `none`. */
  readonly compression: string;
  readonly chunkCount: number;
  readonly bytes: number;
  readonly uncompressedBytes: number;
}

/** What a person asks first about a recording; all but what `isDeep` adds comes from its summary. */
export interface EpisodeSummary {
  readonly file: string;
  readonly bytes: number;
  readonly profile: string;
  readonly library: string;
  /** Whether the file has a summary of its own; else all of it was read. */
  readonly isIndexed: boolean;
  readonly startTime: bigint;
  readonly durationSecs: number;
  readonly messageCount: number;
  readonly streams: readonly StreamSummary[];
  /** From the ledger; undefined for recordings of other programs, where nobody counted. */
  readonly losses: readonly Loss[] | undefined;
  readonly compressions: readonly CompressionSummary[];
  readonly attachments: readonly { readonly name: string; readonly bytes: number }[];
  readonly episode: EpisodeInfo | undefined;
  readonly contract: string | undefined;
  readonly labels: readonly LabelEntry[];
  /** Whether the file is the outcome of a recovery. */
  readonly isRecovered: boolean;
  /** What reading everything and checking every checksum has found; undefined when it was not asked for. */
  readonly examination: RecoveryReport | undefined;
}

/** @throws {UsageError | EpisodeError} when the file cannot be opened as an episode. */
export async function summarizeEpisode(file: string, isDeep: boolean): Promise<EpisodeSummary> {
  await using reader = await EpisodeReader.open(file);
  const examination = isDeep ? await examineEpisode(file) : undefined;
  const gaps = examination?.result === 'lossless' ? await largestGaps(reader) : new Map<string, number>();
  const contract = await contractOf(reader);
  return {
    file,
    bytes: reader.bytes,
    profile: reader.profile,
    library: reader.library,
    isIndexed: reader.isIndexed,
    startTime: reader.startTime,
    durationSecs: nanosToSecs(reader.endTime - reader.startTime),
    messageCount: reader.messageCount,
    streams: streamsOf(reader, contract, gaps),
    losses: (await reader.ledger())?.losses,
    compressions: compressionsOf(reader),
    attachments: reader.attachmentIndexes.map(({ name, dataBytes }) => ({ name, bytes: dataBytes })),
    episode: await reader.info(),
    contract: contract?.name,
    labels: file.endsWith(EPISODE_SUFFIX) ? await readLabels(file) : [],
    isRecovered: (await reader.metadata(RECOVERY_RECORD)) !== undefined,
    examination,
  };
}

function streamsOf(
  reader: EpisodeReader,
  contract: Contract | undefined,
  gaps: ReadonlyMap<string, number>,
): StreamSummary[] {
  const named = new Map(
    Object.entries(contract?.streams ?? {}).map(([name, stream]) => [stream.topic, { name, ...stream }]),
  );
  const durationSecs = nanosToSecs(reader.endTime - reader.startTime);
  const byTopic = Map.groupBy(reader.channels.values(), ({ topic }) => topic);
  return [...byTopic].map(([topic, channels]) => {
    const messageCount = channels.reduce((sum, { id }) => sum + (reader.messageCounts.get(id) ?? 0), 0);
    const stream = named.get(topic);
    return {
      topic,
      name: stream?.name,
      role: stream?.role,
      type: [...new Set(channels.map(typeOf))].join(', '),
      messageCount,
      rateHz: messageCount > 1 && durationSecs > 0 ? (messageCount - 1) / durationSecs : undefined,
      expectedRateHz: stream?.rateHz,
      largestGapSecs: gaps.get(topic),
    };
  });
}

function typeOf({ schema, messageEncoding }: Channel): string {
  return schema?.name || messageEncoding;
}

async function largestGaps(reader: EpisodeReader): Promise<ReadonlyMap<string, number>> {
  const last = new Map<string, bigint>();
  const gaps = new Map<string, bigint>();
  for await (const { channel, logTime } of reader.messages()) {
    const gap = logTime - (last.get(channel.topic) ?? logTime);
    if (gap >= (gaps.get(channel.topic) ?? 0n)) gaps.set(channel.topic, gap);
    last.set(channel.topic, logTime);
  }
  return new Map(gaps.entries().map(([topic, gap]) => [topic, nanosToSecs(gap)]));
}

function compressionsOf({ chunks }: EpisodeReader): CompressionSummary[] {
  return [...Map.groupBy(chunks, ({ compression }) => compression || 'none')].map(([compression, group]) => ({
    compression,
    chunkCount: group.length,
    bytes: group.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0),
    uncompressedBytes: group.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0),
  }));
}

/** The contract that the episode carries, where it is one that this version understands. */
async function contractOf(reader: EpisodeReader): Promise<Contract | undefined> {
  if (!reader.attachmentIndexes.some(({ name }) => name === CONTRACT_ATTACHMENT)) return undefined;
  for await (const { name, data } of reader.attachments()) {
    if (name !== CONTRACT_ATTACHMENT) continue;
    try {
      return parseContract(new TextDecoder().decode(data), `${reader.file}:${name}`).contract;
    } catch (error) {
      if (error instanceof ContractError) return undefined; // of another version; the recording reads all the same
      throw error;
    }
  }
  return undefined;
}
