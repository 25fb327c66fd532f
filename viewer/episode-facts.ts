import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import { parseContract } from '../schemas/contract-file.ts';
import { CONTRACT_ATTACHMENT } from '../schemas/episode.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { ContractError } from '../schemas/errors.ts';
import type { Ledger, Loss } from '../schemas/ledger.ts';
import { readCheckedPart, readLabelledPart, readRecordedPart } from '../schemas/library-entry.ts';
import { nanosToSecs } from '../schemas/time.ts';
import type { EpisodeFacts, StreamFacts } from './api.ts';
import type { EpisodeShelf, ShelvedEpisode } from './shelf.ts';

/** Everything the page shows of an episode beside its messages; a file that cannot be read says why. */
export async function episodeFacts(shelf: EpisodeShelf, shelved: ShelvedEpisode): Promise<EpisodeFacts> {
  const { id, file } = shelved;
  const [{ size: bytes }, recorded, labelled, checked] = await Promise.all([
    stat(file),
    readRecordedPart(file),
    readLabelledPart(file),
    readCheckedPart(file),
  ]);
  const summary = { id, fileName: basename(file), bytes, ...recorded, ...labelled, ...checked };
  if (recorded.fault) return { ...summary, endTime: '0', streams: [], losses: [] };
  await using episode = await shelf.borrow(shelved);
  const { reader } = episode;
  const [ledger, contract] = await Promise.all([reader.ledger(), contractOf(reader)]);
  return {
    ...summary,
    endTime: String(reader.endTime),
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
