import { setTimeout as delay } from 'node:timers/promises';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { UsageError } from '../schemas/errors.ts';
import type { Channel, Message } from '../schemas/message.ts';
import { nanosToSecs, nanosToStamp, secsToNanos } from '../schemas/time.ts';
import { isLatched } from './latched-messages.ts';
import { replayedQos } from './qos.ts';
import type { RosAdvertisement, RosNode } from './ros-node.ts';
import type { TopicSet } from './topic-choice.ts';

export interface RosPlaybackOptions {
  /** Recorded seconds per second. @default 1 */
  readonly rate?: number;
  /** Begins again at the end, until the signal. @default false */
  readonly loop?: boolean;
  /** What to leave out at the beginning, seconds; latched messages of it are published first. @default 0 */
  readonly startSecs?: number;
  /** Time for subscribers to find the publishers; what is published before is lost to them. @default 1 */
  readonly delaySecs?: number;
  /** Topics to publish, by their recorded names. @default all */
  readonly topics?: TopicSet;
  /** Names to publish under, by recorded name. @default the recorded ones */
  readonly names?: ReadonlyMap<string, string>;
  /** How often to publish the recorded time on `/clock`; a recorded `/clock` stays out then. @default never */
  readonly clockHz?: number;
  /** Ends the playback. */
  readonly signal: AbortSignal;
  /** Told once per topic what cannot be published, and why. */
  readonly onWarning: (message: string) => void;
}

/** What a playback published, `/clock` aside. */
export interface RosPlaybackReport {
  readonly messageCount: number;
  readonly topicCount: number;
  /** Longest time by which a message went out after it was due, seconds. */
  readonly longestDelaySecs: number;
}

const CLOCK_TOPIC = '/clock';
const CLOCK_TYPE = 'rosgraph_msgs/msg/Clock';
/** How long subscribers may take to confirm the last messages. */
const CONFIRM_MILLIS = 3000;
/** Other work gets its turn at least this often, whatever is due. */
const TURN_MILLIS = 20;

/**
 * Publishes an episode into the ROS 2 graph: the recorded bytes, in order of log time and at its pace, by
 * publishers that offer what the recorded ones did. Nothing is left out to catch up.
 *
 * @throws {UsageError} when nothing of the episode can be published, or it ends before the start.
 */
export async function playIntoRos(
  episode: EpisodeReader,
  node: RosNode,
  options: RosPlaybackOptions,
): Promise<RosPlaybackReport> {
  const playback = new RosPlayback(episode, node, options);
  return playback.run();
}

class RosPlayback {
  readonly #episode: EpisodeReader;
  readonly #node: RosNode;
  readonly #options: RosPlaybackOptions;
  readonly #rate: number;
  readonly #startTime: bigint;
  /** By channel id; channels of one topic and type share one. */
  readonly #publishers = new Map<number, RosAdvertisement>();
  readonly #topics = new Set<string>();
  readonly #malformed = new Set<string>();
  /** Wall clock, milliseconds, at the start time of the running pass. */
  #startMillis = 0;
  #messageCount = 0;
  #longestDelayMillis = 0;

  constructor(episode: EpisodeReader, node: RosNode, options: RosPlaybackOptions) {
    this.#episode = episode;
    this.#node = node;
    this.#options = options;
    this.#rate = options.rate ?? 1;
    this.#startTime = episode.startTime + secsToNanos(options.startSecs ?? 0);
  }

  async run(): Promise<RosPlaybackReport> {
    const { signal, loop, clockHz, startSecs } = this.#options;
    if (this.#startTime >= this.#episode.endTime) {
      const secs = nanosToSecs(this.#episode.endTime - this.#episode.startTime).toFixed(1);
      throw new UsageError(
        `Cannot play "${this.#episode.file}" from ${startSecs} s on: it ends after ${secs} s. Start earlier.`,
      );
    }
    this.#advertise();
    await pause(1000 * (this.#options.delaySecs ?? 1), signal);
    this.#startMillis = performance.now();
    const clock = clockHz === undefined ? undefined : this.#startClock(clockHz);
    try {
      do {
        this.#startMillis = performance.now();
        await this.#playOnce();
      } while (loop && !signal.aborted);
      await this.#confirmed();
    } finally {
      clearInterval(clock);
    }
    return {
      messageCount: this.#messageCount,
      topicCount: this.#topics.size,
      longestDelaySecs: this.#longestDelayMillis / 1000,
    };
  }

  #advertise(): void {
    const { topics, clockHz, names, onWarning } = this.#options;
    const wanted = [...this.#episode.channels.values()].filter(
      ({ topic }) => topics?.has(topic) !== false && !(topic === CLOCK_TOPIC && clockHz !== undefined),
    );
    for (const channels of Map.groupBy(wanted, keyOf).values()) {
      const [{ topic, schema, messageEncoding }] = channels as [Channel];
      try {
        const type = rosType(schema?.name, messageEncoding);
        const offered = channels.map(({ metadata }) => metadata.get('offered_qos_profiles') ?? '').join('\n');
        const name = names?.get(topic) ?? topic;
        const publisher = this.#node.advertise(name, type, replayedQos(type, offered));
        for (const { id } of channels) this.#publishers.set(id, publisher);
        this.#topics.add(name);
      } catch (error) {
        onWarning(`Topic "${topic}" is not published: ${(error as Error).message}`);
      }
    }
    if (this.#publishers.size > 0) return;
    throw new UsageError(
      `Cannot play "${this.#episode.file}": no topic of it is chosen or can be published. ` +
        '"kinescribe info" names its topics.',
    );
  }

  async #playOnce(): Promise<void> {
    const { signal } = this.#options;
    for await (const message of this.#latchedBefore()) {
      if (signal.aborted) return;
      this.#publish(message);
    }
    const topics = this.#recordedTopics(() => true);
    let turnEndMillis = 0;
    for await (const message of this.#episode.messages({ topics, startTime: this.#startTime })) {
      const dueMillis = this.#dueMillis(message.logTime);
      const earlyMillis = dueMillis - performance.now();
      if (earlyMillis > 0 || performance.now() > turnEndMillis) {
        await pause(Math.max(0, earlyMillis), signal);
        turnEndMillis = performance.now() + TURN_MILLIS;
      }
      if (signal.aborted) return;
      this.#longestDelayMillis = Math.max(this.#longestDelayMillis, performance.now() - dueMillis);
      this.#publish(message);
    }
    await pause(Math.max(0, this.#dueMillis(this.#episode.endTime) - performance.now()), signal);
  }

  #dueMillis(logTime: bigint): number {
    return this.#startMillis + Number(logTime - this.#startTime) / 1e6 / this.#rate;
  }

  /** What a latecomer would have got at the start time. */
  async *#latchedBefore(): AsyncGenerator<Message> {
    const topics = this.#recordedTopics(isLatched);
    if (topics.length > 0) yield* this.#episode.messages({ topics, endTime: this.#startTime });
  }

  #recordedTopics(isMeant: (channel: Channel) => boolean): readonly string[] {
    const channels = this.#episode.channels.values().filter(({ id }) => this.#publishers.has(id));
    return channels
      .filter(isMeant)
      .map(({ topic }) => topic)
      .toArray();
  }

  #publish({ channel, data }: Message): void {
    const publisher = this.#publishers.get(channel.id);
    if (!publisher) return; // another type on the same topic, which could not be advertised
    if (!isSerialized(data)) {
      if (this.#malformed.has(channel.topic)) return;
      this.#malformed.add(channel.topic);
      this.#options.onWarning(`Topic "${channel.topic}" has messages that are not CDR; they stay out.`);
      return;
    }
    publisher.publish(data);
    this.#messageCount++;
  }

  #startClock(rateHz: number): NodeJS.Timeout {
    // Reliable, so that subscribers of either kind hear it.
    const qos = { reliability: 'reliable', durability: 'volatile', depth: 10 } as const;
    const publisher = this.#node.advertise(CLOCK_TOPIC, CLOCK_TYPE, qos);
    const tick = () => {
      const elapsedNanos = BigInt(Math.round((performance.now() - this.#startMillis) * this.#rate * 1e6));
      publisher.publish(clockMessage(this.#startTime + elapsedNanos));
    };
    tick();
    return setInterval(tick, 1000 / rateHz);
  }

  /** Closing the node earlier would throw away what is still on its way. */
  async #confirmed(): Promise<void> {
    const lateMillis = performance.now() + CONFIRM_MILLIS;
    for (const publisher of new Set(this.#publishers.values())) {
      while (!publisher.isConfirmed() && performance.now() < lateMillis) await delay(10);
    }
  }
}

function keyOf({ topic, schema }: Channel): string {
  return `${topic} ${schema?.name}`;
}

/** @throws {UsageError} for a channel that no ROS 2 node can publish. */
function rosType(name: string | undefined, encoding: string): string {
  const [, packageName, message] = /^(\w+)\/(?:msg\/)?(\w+)$/.exec(name ?? '') ?? [];
  if (encoding !== 'cdr' || packageName === undefined) {
    throw new UsageError(
      `its messages are "${name ?? 'unknown'}" as "${encoding}", not a ROS 2 type as "cdr".`,
    );
  }
  return `${packageName}/msg/${message}`;
}

/** An empty buffer would end a subscriber in the same process; garbage becomes an empty message. */
function isSerialized(data: Uint8Array): boolean {
  return data.byteLength > 4 && data[0] === 0;
}

/** `rosgraph_msgs/msg/Clock`: encapsulation, int32 seconds, uint32 nanoseconds. */
function clockMessage(time: bigint): Uint8Array {
  const { sec, nanosec } = nanosToStamp(time);
  const bytes = new DataView(new ArrayBuffer(12));
  bytes.setUint16(0, 1); // CDR, little-endian
  bytes.setInt32(4, sec, true);
  bytes.setUint32(8, nanosec, true);
  return new Uint8Array(bytes.buffer);
}

/** Resolves after so many milliseconds, or when the signal is aborted. */
async function pause(millis: number, signal: AbortSignal): Promise<void> {
  await delay(millis, undefined, { signal }).catch(() => {}); // whoever waits looks at the signal
}
