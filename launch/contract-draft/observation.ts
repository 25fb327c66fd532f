import { setTimeout as delay } from 'node:timers/promises';
import type { Source } from '../../recorder/source.ts';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import { EVENTS_TOPIC } from '../../schemas/episode-events.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { nanosToSecs, secsToNanos } from '../../schemas/time.ts';
import { type ObservedTopic, TopicObserver } from './observed-topic.ts';

/** What was seen of a robot, live or in a recording. */
export interface Observation {
  /** For people: the file, or the name of the source. */
  readonly origin: string;
  /** How long was looked, on the clock of the log times. */
  readonly secs: number;
  /** In order of name; topics without a message are among them. */
  readonly topics: readonly ObservedTopic[];
  /** What a recording of ours says of itself. */
  readonly episode: EpisodeInfo | undefined;
}

/**
 * Looks at the first part of a recording of any origin.
 *
 * @throws {UsageError | EpisodeError} when the file cannot be read.
 */
export async function observeRecording(file: string, maxSecs: number): Promise<Observation> {
  await using reader = await EpisodeReader.open(file);
  const endTime = reader.startTime + secsToNanos(maxSecs);
  const observers = new Observers();
  for (const channel of reader.channels.values()) observers.channel(channel.id, channel);
  for await (const message of reader.messages({ endTime })) observers.message(message.channel.id, message);
  const secs = Math.min(maxSecs, nanosToSecs(reader.endTime - reader.startTime));
  return { origin: file, secs, topics: await observers.topics(), episode: await reader.info() };
}

/**
 * Looks at a source for so many seconds of this machine's clock and stops it.
 *
 * @param topics of interest; all if absent.
 * @throws {SourceError | MissingFeatureError} when the source cannot start or breaks off.
 */
export async function observeSource(
  source: Source,
  secs: number,
  topics?: ReadonlySet<string>,
): Promise<Observation> {
  const observers = new Observers();
  const over = Promise.withResolvers<void>();
  await source.start(
    {
      channel: (key, spec) => observers.channel(key, spec),
      message: (message) => observers.message(message.channelKey, message),
      room: () => Promise.resolve(),
      failed: (error) => over.reject(error),
      ended: () => over.resolve(),
    },
    topics ? { topics } : {},
  );
  const startTime = source.clock.now();
  const timeout = new AbortController();
  try {
    await Promise.race([over.promise, delay(secs * 1000, undefined, { signal: timeout.signal })]);
  } finally {
    timeout.abort();
    await source.stop();
  }
  const observed = nanosToSecs(source.clock.now() - startTime);
  return {
    origin: `source "${source.name}"`,
    secs: observed,
    topics: await observers.topics(),
    episode: undefined,
  };
}

/** One observer per topic, whatever the number of its channels. */
class Observers {
  readonly #byTopic = new Map<string, TopicObserver>();
  readonly #byChannel = new Map<number, TopicObserver>();

  channel(key: number, spec: ConstructorParameters<typeof TopicObserver>[0]): void {
    if (spec.topic === EVENTS_TOPIC) return; // the recorder's own, not the robot's
    const known = this.#byTopic.get(spec.topic);
    const observer = known ?? new TopicObserver(spec);
    if (known) known.addChannel(spec);
    this.#byTopic.set(spec.topic, observer);
    // A contract has one stream per topic, and a stream has one type.
    if (observer.isOfSameType(spec)) this.#byChannel.set(key, observer);
  }

  message(key: number, message: Parameters<TopicObserver['add']>[0]): void {
    this.#byChannel.get(key)?.add(message);
  }

  async topics(): Promise<readonly ObservedTopic[]> {
    const observers = [...this.#byTopic.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
    return Promise.all(observers.map((observer) => observer.finish()));
  }
}
