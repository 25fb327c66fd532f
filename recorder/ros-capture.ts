import { setTimeout as delay } from 'node:timers/promises';
import { SourceError } from '../schemas/errors.ts';
import type { Clock } from '../schemas/time.ts';
import { loadDefinition } from './definitions.ts';
import { formatOfferedQos, formatTypeHash, outdated, type RequestedQos, requestedQos } from './qos.ts';
import type { RosEnvironment } from './ros-environment.ts';
import type { RosNode, RosPublisher, RosSubscription } from './ros-node.ts';
import { ReceiveBufferWatch } from './ros-receive-buffer.ts';
import type { SourceSink, SourceWarning } from './source.ts';
import type { TopicSet } from './topic-choice.ts';

export interface RosCaptureOptions {
  readonly environment: RosEnvironment;
  /** Gives logTime to a message when it arrives. */
  readonly clock: Clock;
  readonly topics: TopicSet;
  readonly sink: SourceSink;
}

/** One type on one topic: what becomes a channel of the episode. */
interface Stream {
  readonly channelKey: number;
  readonly topic: string;
  readonly type: string;
  qos: RequestedQos;
  subscription: RosSubscription;
  publisherCount: number;
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
  readonly #sink: SourceSink;
  /** By topic and type; never removed, for a publisher that is gone may come back. */
  readonly #streams = new Map<string, Stream>();
  /** Topics and types that cannot be subscribed to; reported once. */
  readonly #refused = new Set<string>();
  readonly #receiveBuffer = new ReceiveBufferWatch();
  readonly #stopping = new AbortController();
  #discovery: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** @param node is the capture's own from here on. */
  constructor(node: RosNode, { environment, clock, topics, sink }: RosCaptureOptions) {
    this.#node = node;
    this.#environment = environment;
    this.#clock = clock;
    this.#topics = topics;
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
    for (const { name: topic, types } of this.#node.topics()) {
      if (!this.#topics.has(topic)) continue;
      for (const type of types) {
        const key = streamKey(topic, type);
        if (this.#streams.has(key) || this.#refused.has(key)) continue;
        const publishers = this.#publishers(topic, type);
        if (publishers.length > 0) await this.#add(topic, type, publishers);
      }
    }
  }

  /** Subscribes to what is new and looks after what is known. */
  async #review(): Promise<void> {
    await this.#discover();
    for (const stream of this.#streams.values()) this.#reviewStream(stream);
    const message = await this.#receiveBuffer.warning();
    if (message) this.#warn({ kind: 'receive-buffer', message });
  }

  #publishers(topic: string, type: string): readonly RosPublisher[] {
    return this.#node.publishers(topic).filter((publisher) => publisher.type === type);
  }

  async #add(topic: string, type: string, publishers: readonly RosPublisher[]): Promise<void> {
    const { prefixes, distro } = this.#environment;
    const schema = await loadDefinition(type, prefixes);
    if (this.#stopping.signal.aborted) return;
    const channelKey = this.#streams.size;
    const offers = publishers.map(({ qos }) => qos);
    const qos = requestedQos(type, offers);
    let subscription: RosSubscription;
    try {
      subscription = this.#subscribe(channelKey, topic, type, qos);
    } catch (error) {
      this.#refused.add(streamKey(topic, type));
      if (this.#streamOf(topic)) this.#warnOfSecondType(topic, type, publishers, 'refused');
      else this.#warnOfMissingType(topic, type, error as Error);
      return;
    }
    if (this.#streamOf(topic)) this.#warnOfSecondType(topic, type, publishers, 'recorded');
    if (!schema) this.#warnOfMissingDefinition(topic, type);
    this.#streams.set(streamKey(topic, type), {
      channelKey,
      topic,
      type,
      qos,
      subscription,
      publisherCount: publishers.length,
    });
    const hashes = publishers.flatMap(({ typeHash }) => typeHash ?? []);
    this.#sink.channel(channelKey, {
      topic,
      messageEncoding: 'cdr',
      schema: schema ?? { name: type, encoding: 'ros2msg', data: new Uint8Array() },
      metadata: new Map([
        ['offered_qos_profiles', formatOfferedQos(offers, NUMERIC_QOS.has(distro) ? 'numbers' : 'names')],
        ['topic_type_hash', formatTypeHash(hashes)],
      ]),
    });
  }

  #subscribe(channelKey: number, topic: string, type: string, qos: RequestedQos): RosSubscription {
    return this.#node.subscribe(topic, type, qos, (data) => {
      if (this.#stopping.signal.aborted) return;
      this.#sink.message({ channelKey, logTime: this.#clock.now(), data });
    });
  }

  #reviewStream(stream: Stream): void {
    const { topic, type } = stream;
    const publishers = this.#publishers(topic, type);
    if (publishers.length === 0) {
      if (stream.publisherCount > 0) this.#warnOfGonePublishers(topic);
      stream.publisherCount = 0;
      return;
    }
    stream.publisherCount = publishers.length;
    const wanted = requestedQos(
      type,
      publishers.map(({ qos }) => qos),
    );
    if (!outdated(stream.qos, wanted)) return;
    // The old subscription goes first: with both, messages would arrive twice.
    stream.subscription.close();
    stream.subscription = this.#subscribe(stream.channelKey, topic, type, wanted);
    stream.qos = wanted;
    this.#warnOfChangedQos(topic, wanted);
  }

  #streamOf(topic: string): Stream | undefined {
    return this.#streams.values().find((stream) => stream.topic === topic);
  }

  #warn(warning: SourceWarning): void {
    this.#sink.warned?.(warning);
  }

  #warnOfMissingType(topic: string, type: string, { message }: Error): void {
    const { distro } = this.#environment;
    const packageName = type.split('/')[0]!;
    this.#warn({
      kind: 'missing-type',
      topic,
      message:
        `Topic "${topic}" is not recorded: its type "${type}" cannot be loaded (${message}). Install the ` +
        `package with "sudo apt install ros-${distro}-${packageName.replaceAll('_', '-')}" or source the ` +
        'workspace that holds it, and start again.',
    });
  }

  #warnOfMissingDefinition(topic: string, type: string): void {
    this.#warn({
      kind: 'missing-definition',
      topic,
      message:
        `Topic "${topic}" is recorded without the definition of "${type}": no folder of AMENT_PREFIX_PATH ` +
        'holds its .msg or .idl file. Its messages can be replayed but not decoded; source the workspace ' +
        'that holds the package and record again.',
    });
  }

  /** Fast DDS refuses a second type on a topic within one process; Cyclone DDS does not. */
  #warnOfSecondType(
    topic: string,
    type: string,
    publishers: readonly RosPublisher[],
    outcome: 'recorded' | 'refused',
  ): void {
    const nodes = [...new Set(publishers.map(({ node }) => `"${node}"`))].join(', ');
    const consequence = {
      recorded: 'Both are recorded, each as a channel of its own; a reader that goes by topic sees only one.',
      refused: 'The second is not recorded, because the middleware refuses it. Let the nodes agree on one.',
    };
    this.#warn({
      kind: 'second-type',
      topic,
      message:
        `Topic "${topic}" has a second type: "${type}" from ${nodes}, besides ` +
        `"${this.#streamOf(topic)?.type}". ${consequence[outcome]}`,
    });
  }

  #warnOfChangedQos(topic: string, { reliability, durability }: RequestedQos): void {
    this.#warn({
      kind: 'qos-changed',
      topic,
      message:
        `Topic "${topic}" is subscribed to anew as ${reliability} and ${durability}, because a publisher ` +
        'offers another quality of service than those before it. Messages of this instant may be missing.',
    });
  }

  #warnOfGonePublishers(topic: string): void {
    this.#warn({
      kind: 'publishers-gone',
      topic,
      message: `Topic "${topic}" has no publisher any more. Recording of it goes on when one comes back.`,
    });
  }
}

function streamKey(topic: string, type: string): string {
  return `${topic} ${type}`;
}
