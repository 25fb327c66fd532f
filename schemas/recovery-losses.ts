import type { ChannelShare } from './chunk-builder.ts';
import type { Ledger, Loss } from './ledger.ts';
import { NANOS_PER_SEC } from './time.ts';

/** Longest that a message waits in an open chunk before it is on its way to the file. */
const OPEN_NANOS = NANOS_PER_SEC;

interface TopicAccount {
  messageCount: number;
  /** Log time of the last message that was found. */
  lastTime: bigint;
  lostCount: number;
  /** How many gaps of the file lie before its last message that was found. */
  gapsBehind: number;
  /** Ranges in which messages may be missing. */
  readonly gaps: { readonly startTime: bigint; readonly endTime: bigint }[];
}

/** What a summary says of a file. */
export interface ExpectedContent {
  /** Messages per topic. */
  readonly counts: ReadonlyMap<string, number>;
  /** One nanosecond past the last log time. */
  readonly endTime: bigint;
}

/** Adds up what recovery found and what is missing, by topic. */
export class LossAccount {
  readonly #topics = new Map<string, TopicAccount>();
  readonly #counted: Loss[] = [];
  #firstTime: bigint | undefined;
  #lastTime = 0n;
  /** Damaged places so far of which not everything is told. */
  #gapCount = 0;
  /** Whether a damaged chunk still waits for its message index to tell what it held. */
  #isChunkUntold = false;
  /** Whether a damage is so wide that nothing can tell all of it. */
  #isGapUntold = false;

  get messageCount(): number {
    return this.#topics.values().reduce((sum, { messageCount }) => sum + messageCount, 0);
  }

  /** Messages of one chunk that are kept. */
  kept(shares: Iterable<readonly [topic: string, share: ChannelShare]>): void {
    this.#closeGap();
    for (const [topic, { messageCount, startTime, endTime }] of shares) {
      if (this.#firstTime === undefined || startTime < this.#firstTime) this.#firstTime = startTime;
      if (endTime > this.#lastTime) this.#lastTime = endTime;
      const account = this.#topic(topic);
      this.#enterGaps(account, startTime);
      account.messageCount += messageCount;
      if (endTime > account.lastTime) account.lastTime = endTime;
    }
  }

  /** A place that cannot be read; when it is one chunk and no more, lost() may tell all of it. */
  damaged(isOneChunk: boolean): void {
    if (isOneChunk) this.#isChunkUntold = true;
    else this.#isGapUntold = true;
  }

  /** Messages that are known to be lost. */
  lost(topic: string, logTimes: readonly bigint[]): void {
    this.#isChunkUntold = false;
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
   * @param expected what the input's own summary says; undefined when it has none.
   */
  losses(isClosed: boolean, expected: ExpectedContent | undefined): readonly Loss[] {
    this.#closeGap();
    const endTime = expected?.endTime ?? this.#lastTime + OPEN_NANOS;
    const losses = [...this.#counted];
    for (const [topic, account] of this.#topics) {
      const missing =
        expected && (expected.counts.get(topic) ?? 0) - account.messageCount - account.lostCount;
      if (missing !== undefined && missing <= 0) continue;
      if (isClosed) this.#enterGaps(account, endTime);
      const ranges = [...account.gaps];
      if (!isClosed) ranges.push({ startTime: account.lastTime + 1n, endTime });
      // The summary knows of messages that no damage explains.
      if (missing !== undefined && ranges.length === 0) {
        ranges.push({ startTime: this.#firstTime ?? 0n, endTime });
      }
      // The number is only known for all ranges together.
      const messages = ranges.length === 1 && missing !== undefined ? missing : null;
      losses.push(...ranges.map((range) => ({ topic, cause: 'damaged' as const, messages, ...range })));
    }
    return losses;
  }

  /** The ledger of the new file: what the recorder had counted, and the losses of the damage. */
  ledger(before: Ledger | undefined, losses: readonly Loss[]): Ledger {
    const received = new Map(before?.totals.map((total) => [total.topic, total.received]));
    return {
      ...before,
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

  #closeGap(): void {
    if (this.#isChunkUntold || this.#isGapUntold) this.#gapCount++;
    this.#isChunkUntold = this.#isGapUntold = false;
  }

  /** Notes the gaps between a topic's last message and the next, which is at `endTime`. */
  #enterGaps(account: TopicAccount, endTime: bigint): void {
    if (account.gapsBehind === this.#gapCount) return;
    account.gapsBehind = this.#gapCount;
    const startTime = account.messageCount > 0 ? account.lastTime + 1n : (this.#firstTime ?? endTime);
    account.gaps.push(
      startTime < endTime ? { startTime, endTime } : { startTime: endTime, endTime: startTime },
    );
  }

  #topic(topic: string): TopicAccount {
    const account = this.#topics.get(topic) ?? {
      messageCount: 0,
      lastTime: 0n,
      lostCount: 0,
      gapsBehind: 0,
      gaps: [],
    };
    this.#topics.set(topic, account);
    return account;
  }
}
