import { setTimeout as delay } from 'node:timers/promises';
import type { StreamQos } from '../schemas/contract.ts';
import { SourceError } from '../schemas/errors.ts';
import type { Clock } from '../schemas/time.ts';
import { formatOfferedQos, isTooStrong, outdated, type RequestedQos, requestedQos } from './qos.ts';
import { definitionDispute, findDefinition, publishedHash, type RosDefinition } from './ros-definition.ts';
import type { RosEnvironment } from './ros-environment.ts';
import type { RosNode, RosPublisher, RosSubscription } from './ros-node.ts';
import { ReceiveBufferWatch } from './ros-receive-buffer.ts';
import { namedPublishers } from './ros-type-description.ts';
import {
  changedDefinition,
  changedQos,
  gonePublishers,
  missingDefinition,
  missingType,
  secondType,
  unmatchedQos,
} from './ros-warnings.ts';
import type { SourceSink, SourceWarning } from './source.ts';
import type { TopicSet } from './topic-choice.ts';

export interface RosCaptureOptions {
  readonly environment: RosEnvironment;
  /** Gives logTime to a message when it arrives. */
  readonly clock: Clock;
  readonly topics: TopicSet;
  /** What the contract asks for, by topic. */
  readonly qos: ReadonlyMap<string, StreamQos> | undefined;
  readonly sink: SourceSink;
}

/** One type on one topic: what becomes a channel of the episode, or several while its definition changes. */
interface Stream {
  readonly topic: string;
  readonly type: string;
  definition: RosDefinition;
  /** The channel of that definition. */
  channelKey: number;
  /** Why its messages may not be what the definition says, as it was told. */
  dispute: string | undefined;
  qos: RequestedQos;
  subscription: RosSubscription;
  isOffered: boolean;
  /** Nodes that were said to offer less than is asked for. */
  readonly unheard: Set<string>;
}

/** How often the list of topics is read; rosbag2 does the same. */
const DISCOVERY_MILLIS = 100;
/** Publishers of known topics are looked at in every tenth round. */
const ROUNDS_PER_REVIEW = 10;
/** rosbag2 of these wrote the policies of `offered_qos_profiles` as numbers and reads no names. */
const NUMERIC_QOS: ReadonlySet<string> = new Set(['humble', 'iron']);

/**
 * Subscribes a node to the wanted topics as they appear, one stream per topic and type, and follows their
 * publishers: other qualities of service, second types, the last one gone.
 */
export class RosCapture {
  readonly #node: RosNode;
  readonly #environment: RosEnvironment;
  readonly #clock: Clock;
  readonly #topics: TopicSet;
  readonly #qos: ReadonlyMap<string, StreamQos> | undefined;
  readonly #sink: SourceSink;
  /** By topic and type; never removed, for a publisher that is gone may come back. */
  readonly #streams = new Map<string, Stream>();
  #channels = 0;
  /** Topics and types that cannot be subscribed to; reported once. */
  readonly #refused = new Set<string>();
  readonly #receiveBuffer = new ReceiveBufferWatch();
  readonly #stopping = new AbortController();
  #discovery: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** @param node is the capture's own from here on. */
  constructor(node: RosNode, { environment, clock, topics, qos, sink }: RosCaptureOptions) {
    this.#node = node;
    this.#environment = environment;
    this.#clock = clock;
    this.#topics = topics;
    this.#qos = qos;
    this.#sink = sink;
  }

  /** Subscribes to what is there, and from then on to what appears. */
  async start(): Promise<void> {
    await this.#review();
    this.#discovery = this.#keepDiscovering();
  }

  /** Leaves the graph; nothing is delivered after it resolves. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  /** Ends delivery for good after a fault of the sink or of the middleware. */
  breakOff(cause: unknown): void {
    if (this.#stopping.signal.aborted) return;
    void this.stop();
    const found = cause instanceof Error ? cause.message : String(cause);
    this.#sink.failed(new SourceError(`Recording from ROS 2 broke off: ${found}`, { cause }));
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    await this.#discovery;
    // On a turn of its own: stop() may have been called from within a message's callback.
    await new Promise((resolve) => setImmediate(resolve));
    this.#node.close();
  }

  async #keepDiscovering(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for (let round = 1; ; round++) {
        await delay(DISCOVERY_MILLIS, undefined, { signal });
        if (round % ROUNDS_PER_REVIEW === 0) await this.#review();
        else await this.#discover();
      }
    } catch (error) {
      if (!signal.aborted) this.breakOff(error);
    }
  }

  /** Subscribes to what is new. */
  async #discover(): Promise<void> {
    const appeared = [];
    for (const { name: topic, types } of this.#node.topics()) {
      if (!this.#topics.has(topic)) continue;
      for (const type of types) {
        const key = streamKey(topic, type);
        if (this.#streams.has(key) || this.#refused.has(key)) continue;
        const publishers = this.#publishers(topic, type);
        // At once: a definition that is long in coming must not hold up the other topics.
        if (publishers.length > 0) appeared.push(this.#add(topic, type, publishers));
      }
    }
    await Promise.all(appeared);
  }

  /** Subscribes to what is new and looks after what is known. */
  async #review(): Promise<void> {
    await this.#discover();
    await Promise.all(this.#streams.values().map((stream) => this.#reviewStream(stream)));
    const dropped = await this.#receiveBuffer.look();
    if (!dropped) return;
    this.#sink.datagramsDropped?.(dropped.count);
    this.#warn({ kind: 'receive-buffer', message: dropped.message });
  }

  #publishers(topic: string, type: string): readonly RosPublisher[] {
    return this.#node.publishers(topic).filter((publisher) => publisher.type === type);
  }

  async #add(topic: string, type: string, publishers: readonly RosPublisher[]): Promise<void> {
    const definition = await this.#definition(topic, type);
    if (this.#stopping.signal.aborted) return;
    const first = this.#streams.values().find((stream) => stream.topic === topic);
    const qos = this.#requested(topic, type, publishers);
    let subscription: RosSubscription;
    try {
      subscription = this.#subscribe(topic, type, qos);
    } catch (error) {
      this.#refused.add(streamKey(topic, type));
      if (first) this.#tellSecondType(topic, [first.type, type], false);
      else this.#warn(missingType(topic, type, { distro: this.#environment.distro, cause: error as Error }));
      return;
    }
    if (first) this.#tellSecondType(topic, [first.type, type], true);
    const stream: Stream = {
      topic,
      type,
      definition,
      channelKey: 0,
      dispute: undefined,
      qos,
      subscription,
      isOffered: true,
      unheard: new Set<string>(),
    };
    this.#streams.set(streamKey(topic, type), stream);
    this.#announce(stream, definition, publishers);
    this.#tellUnheard(stream, publishers);
  }

  /** With the names of the nodes, for which nothing else has to wait. */
  #tellSecondType(topic: string, types: readonly [string, string], isRecorded: boolean): void {
    namedPublishers(this.#node, topic)
      .then((all) => {
        const publishers = all.filter(({ type }) => type === types[1]);
        if (!this.#stopping.signal.aborted) this.#warn(secondType(topic, types, { publishers, isRecorded }));
      })
      .catch((error) => this.breakOff(error));
  }

  #definition(topic: string, type: string): Promise<RosDefinition> {
    return findDefinition(this.#node, { topic, type, prefixes: this.#environment.prefixes });
  }

  /** From here on messages of the stream are of a new channel. */
  #announce(stream: Stream, definition: RosDefinition, publishers: readonly RosPublisher[]): void {
    const { topic, type } = stream;
    const { schema, hash } = definition;
    stream.definition = definition;
    stream.channelKey = this.#channels++;
    if (!schema) this.#warn(missingDefinition(topic, type));
    const offers = publishers.map(({ qos }) => qos);
    const form = NUMERIC_QOS.has(this.#environment.distro) ? 'numbers' : 'names';
    this.#sink.channel(stream.channelKey, {
      topic,
      messageEncoding: 'cdr',
      schema: schema ?? { name: type, encoding: 'ros2msg', data: new Uint8Array() },
      metadata: new Map([
        ['offered_qos_profiles', formatOfferedQos(offers, form)],
        ['topic_type_hash', hash],
      ]),
    });
  }

  #subscribe(topic: string, type: string, qos: RequestedQos): RosSubscription {
    const key = streamKey(topic, type);
    return this.#node.subscribe(topic, type, qos, (data) => {
      if (this.#stopping.signal.aborted) return;
      const { channelKey } = this.#streams.get(key)!;
      this.#sink.message({ channelKey, logTime: this.#clock.now(), data });
    });
  }

  async #reviewStream(stream: Stream): Promise<void> {
    const { topic, type } = stream;
    const publishers = this.#publishers(topic, type);
    if (publishers.length === 0) {
      if (stream.isOffered) this.#warn(gonePublishers(topic));
      this.#tellOffered(stream, false);
      return;
    }
    await this.#followDefinition(stream, publishers);
    this.#tellOffered(stream, true);
    const wanted = this.#requested(topic, type, publishers);
    if (outdated(stream.qos, wanted)) this.#resubscribe(stream, wanted);
    this.#tellUnheard(stream, publishers);
  }

  /** A node that was built anew may come back with another definition under the type's old name. */
  async #followDefinition(stream: Stream, publishers: readonly RosPublisher[]): Promise<void> {
    const { topic, type } = stream;
    const hash = publishedHash(publishers);
    if (hash !== '' && hash !== stream.definition.hash) {
      const definition = await this.#definition(topic, type);
      if (this.#stopping.signal.aborted) return;
      this.#warn(changedDefinition(topic, type, publishers));
      this.#announce(stream, definition, publishers);
    }
    const dispute = definitionDispute(topic, stream.definition, publishers);
    if (dispute?.message === stream.dispute) return;
    stream.dispute = dispute?.message;
    if (dispute) this.#warn(dispute);
    this.#sink.disputed?.(topic, dispute?.message);
  }

  #resubscribe(stream: Stream, wanted: RequestedQos): void {
    const { topic, type } = stream;
    // The old subscription goes first: with both, messages would arrive twice.
    stream.subscription.close();
    stream.subscription = this.#subscribe(topic, type, wanted);
    stream.qos = wanted;
    this.#warn(changedQos(topic, wanted));
  }

  #tellOffered(stream: Stream, isOffered: boolean): void {
    if (stream.isOffered === isOffered) return;
    stream.isOffered = isOffered;
    this.#sink.offered?.(stream.channelKey, isOffered);
  }

  /** Says once of each node that it offers less than is asked for; only a contract asks for that much. */
  #tellUnheard({ topic, qos, unheard }: Stream, publishers: readonly RosPublisher[]): void {
    // The graph may tell the name of a node later than its publisher.
    const found = publishers.filter(
      ({ node, qos: offer }) => node !== undefined && isTooStrong(qos, offer) && !unheard.has(node),
    );
    if (found.length === 0) return;
    for (const { node } of found) unheard.add(node!);
    this.#warn(unmatchedQos(topic, found));
  }

  #requested(topic: string, type: string, publishers: readonly RosPublisher[]): RequestedQos {
    const offers = publishers.map(({ qos }) => qos);
    return requestedQos(type, offers, this.#qos?.get(topic));
  }

  #warn(warning: SourceWarning): void {
    this.#sink.warned?.(warning);
  }
}

function streamKey(topic: string, type: string): string {
  return `${topic} ${type}`;
}
