import type { ChannelShare } from './chunk-builder.ts';
import type { Ledger, Loss } from './ledger.ts';
import { NANOS_PER_SEC } from './time.ts';

/** Longest that a message waits in an open chunk before it is on its way to the file. */
const OPEN_NANOS = NANOS_PER_SEC;

interface Gap {
  /** Log times around it, as far as they are known. */
  readonly before: bigint;
  after: bigint | undefined;
}

interface TopicAccount {
  messageCount: number;
  /** Log time of the last message that was found. */
  lastTime: bigint;
  lostCount: number;
}

/** Adds up what recovery found and what is missing, by topic. */
export class LossAccount {
  readonly #topics = new Map<string, TopicAccount>();
  readonly #counted: Loss[] = [];
  readonly #gaps: Gap[] = [];
  #lastTime = 0n;
  /** Damaged places of which no message index has told what they held. */
  #untold = 0;

  get messageCount(): number {
    return this.#topics.values().reduce((sum, { messageCount }) => sum + messageCount, 0);
  }

  /** Messages that are kept; `startTime` is that of their chunk. */
  kept(startTime: bigint, shares: Iterable<readonly [topic: string, share: ChannelShare]>): void {
    if (this.#untold > 0) this.#gaps.push({ before: this.#lastTime, after: startTime });
    this.#untold = 0;
    for (const [topic, { messageCount, endTime }] of shares) {
      const account = this.#topic(topic);
      account.messageCount += messageCount;
      if (endTime > account.lastTime) account.lastTime = endTime;
      if (endTime > this.#lastTime) this.#lastTime = endTime;
    }
  }

  /** A place that cannot be read; lost() may tell what was in it. */
  damaged(): void {
    this.#untold++;
  }

  /** Messages that are known to be lost. */
  lost(topic: string, logTimes: readonly bigint[]): void {
    this.#untold = 0;
    if (logTimes.length === 0) return;
    let [startTime, endTime] = [logTimes[0]!, logTimes[0]!];
    for (const time of logTimes) {
      if (time < startTime) startTime = time;
      if (time > endTime) endTime = time;
    }
    this.#topic(topic).lostCount += logTimes.length;
    this.#counted.push({
      topic,
      cause: 'damaged',
      messages: logTimes.length,
      startTime,
      endTime: endTime + 1n,
    });
  }

  /**
   * @param isClosed whether the input ended with all its chunks written.
   * @param expected messages per topic that the input's own summary names; undefined when it has none.
   */
  losses(isClosed: boolean, expected: ReadonlyMap<string, number> | undefined): readonly Loss[] {
    if (this.#untold > 0 && isClosed) this.#gaps.push({ before: this.#lastTime, after: undefined });
    const losses = [...this.#counted];
    for (const [topic, { messageCount, lastTime, lostCount }] of this.#topics) {
      const missing = expected && (expected.get(topic) ?? messageCount) - messageCount - lostCount;
      if (missing !== undefined && missing <= 0) continue;
      const ranges = this.#gaps.map(({ before, after }) => rangeOf(before, after ?? this.#lastTime));
      if (!isClosed) ranges.push({ startTime: lastTime + 1n, endTime: this.#lastTime + OPEN_NANOS });
      if (missing !== undefined && ranges.length === 0)
        ranges.push({ startTime: 0n, endTime: this.#lastTime + 1n });
      // The number is only known for all gaps together.
      const messages = ranges.length === 1 && missing !== undefined ? missing : null;
      losses.push(...ranges.map((range) => ({ topic, cause: 'damaged' as const, messages, ...range })));
    }
    return losses;
  }

  /** The ledger of the new file: what the recorder had counted, and the losses of the damage. */
  ledger(before: Ledger | undefined, losses: readonly Loss[]): Ledger {
    const received = new Map(before?.totals.map((total) => [total.topic, total.received]));
    return {
      totals: [...this.#topics].map(([topic, { messageCount, lostCount }]) => ({
        topic,
        // The last ledger in the file may be older than its last messages.
        received: Math.max(received.get(topic) ?? 0, messageCount + lostCount),
        written: messageCount,
      })),
      losses: [...(before?.losses ?? []), ...losses],
    };
  }

  /** Names a topic although nothing of it was found yet. */
  known(topic: string): void {
    this.#topic(topic);
  }

  #topic(topic: string): TopicAccount {
    const account = this.#topics.get(topic) ?? { messageCount: 0, lastTime: 0n, lostCount: 0 };
    this.#topics.set(topic, account);
    return account;
  }
}

/** Chunks overlap in time, so the neighbours of a gap may say "from 5 to 4". */
function rangeOf(before: bigint, after: bigint): { startTime: bigint; endTime: bigint } {
  return before < after
    ? { startTime: before, endTime: after + 1n }
    : { startTime: after, endTime: before + 1n };
}
