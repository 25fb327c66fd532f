import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import { parseContract } from '../schemas/contract-file.ts';
import { CONTRACT_ATTACHMENT } from '../schemas/episode.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { ContractError, KinescribeError } from '../schemas/errors.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import type { Ledger, Loss } from '../schemas/ledger.ts';
import { nanosToSecs } from '../schemas/time.ts';
import type { EpisodeFacts, EpisodeSummary, StreamFacts } from './api.ts';
import type { EpisodeShelf, ShelvedEpisode } from './shelf.ts';

const EMPTY: Omit<EpisodeFacts, 'id' | 'fileName' | 'bytes' | 'fault'> = {
  startTime: '0',
  endTime: '0',
  durationSecs: 0,
  messageCount: 0,
  lostMessages: null,
  robot: null,
  task: null,
  operator: null,
  outcome: null,
  streams: [],
  losses: [],
};

/** Everything the page shows of an episode beside its messages; a file that cannot be read says why. */
export async function episodeFacts(shelf: EpisodeShelf, shelved: ShelvedEpisode): Promise<EpisodeFacts> {
  const { id, file } = shelved;
  const { size: bytes } = await stat(file);
  const identity = { id, fileName: basename(file), bytes };
  try {
    await using episode = await shelf.borrow(shelved);
    return { ...identity, fault: null, ...(await factsOf(episode.reader, file)) };
  } catch (error) {
    if (error instanceof KinescribeError) return { ...identity, ...EMPTY, fault: error.message };
    throw error;
  }
}

/** The part of the facts that a list shows. */
export function summaryOf({ endTime, streams, losses, ...summary }: EpisodeFacts): EpisodeSummary {
  return summary;
}

async function factsOf(reader: EpisodeReader, file: string) {
  const [info, ledger, contract, labels] = await Promise.all([
    reader.info(),
    reader.ledger(),
    contractOf(reader),
    readLabels(file),
  ]);
  return {
    startTime: String(reader.startTime),
    endTime: String(reader.endTime),
    durationSecs: nanosToSecs(reader.endTime - reader.startTime),
    messageCount: reader.messageCount,
    lostMessages: ledger ? sumOf(ledger.losses) : null,
    robot: info?.robot ?? null,
    task: info?.task ?? null,
    operator: info?.operator ?? null,
    outcome: currentLabel(labels, 'outcome') ?? null,
    streams: streamsOf(reader, ledger, contract),
    losses: (ledger?.losses ?? [])
      .toSorted((a, b) => Number(a.startTime - b.startTime))
      .map((loss) => ({ ...loss, startTime: String(loss.startTime), endTime: String(loss.endTime) })),
  };
}

/** The contract the take was recorded under; undefined where there is none, or none that we still understand. */
export async function contractOf(reader: EpisodeReader): Promise<Contract | undefined> {
  for await (const { name, data } of reader.attachments()) {
    if (name !== CONTRACT_ATTACHMENT) continue;
    try {
      return parseContract(new TextDecoder().decode(data), `${reader.file}:${name}`).contract;
    } catch (error) {
      if (error instanceof ContractError) return undefined;
      throw error;
    }
  }
  return undefined;
}

function streamsOf(
  reader: EpisodeReader,
  ledger: Ledger | undefined,
  contract: Contract | undefined,
): StreamFacts[] {
  const byTopic = Map.groupBy(reader.channels.values(), ({ topic }) => topic);
  const inContract = new Map(
    Object.entries(contract?.streams ?? {}).map(([name, stream]) => [stream.topic, { name, ...stream }]),
  );
  const topics = [...inContract.keys(), ...[...byTopic.keys()].sort()];
  const secs = nanosToSecs(reader.endTime - reader.startTime);
  return [...new Set(topics)].map((topic) => {
    const stream = inContract.get(topic);
    const channels = byTopic.get(topic) ?? [];
    const messageCount = channels.reduce((sum, { id }) => sum + (reader.messageCounts.get(id) ?? 0), 0);
    return {
      topic,
      name: stream?.name ?? null,
      role: stream?.role ?? null,
      type: channels[0]?.schema?.name ?? stream?.type ?? '',
      messageCount,
      rateHz: secs > 0 && messageCount > 1 ? messageCount / secs : null,
      expectedRateHz: stream?.rateHz ?? null,
      lostMessages: ledger ? sumOf(ledger.losses.filter((loss) => loss.topic === topic)) : null,
    };
  });
}

function sumOf(losses: readonly Loss[]): number {
  return losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
}
