import type { ChannelSpec, MessageSchema } from '../schemas/message.ts';
import type { AdvertisedChannel, Subscription } from './foxglove-frames.ts';
import { formatOfferedQos } from './qos.ts';
import type { TopicSet } from './topic-choice.ts';

/** Definitions that are bytes and travel as base64. */
const BINARY_DEFINITIONS: ReadonlySet<string> = new Set(['protobuf', 'flatbuffer']);

/** What a definition is written in where the server leaves it out, by message encoding. */
const USUAL_DEFINITION: Readonly<Record<string, string>> = {
  cdr: 'ros2msg',
  ros1: 'ros1msg',
  json: 'jsonschema',
  protobuf: 'protobuf',
  flatbuffer: 'flatbuffer',
};

const FOREVER = { sec: 9_223_372_036n, nsec: 854_775_807n };

/**
 * Bridges do not tell the quality of service. Topics of these names are latched by the conventions of tf2
 * and robot_state_publisher, and without saying so every take but the first would lack them.
 */
const LATCHED_TOPIC = /(^|\/)(tf_static|robot_description)$/;
const LATCHED_QOS = formatOfferedQos(
  [
    {
      history: 'keep_last',
      depth: 1,
      reliability: 'reliable',
      durability: 'transient_local',
      deadline: FOREVER,
      lifespan: FOREVER,
      liveliness: 'automatic',
      livelinessLeaseDuration: FOREVER,
      avoidRosNamespaceConventions: false,
    },
  ],
  'names',
);

/** The channel of an episode for one that a server advertises. */
export function channelSpecOf(advertised: Omit<AdvertisedChannel, 'id'>): ChannelSpec {
  const { topic, encoding, metadata = {} } = advertised;
  const fields = new Map(Object.entries(metadata));
  if (encoding === 'cdr' && !fields.has('offered_qos_profiles')) {
    fields.set('offered_qos_profiles', LATCHED_TOPIC.test(topic) ? LATCHED_QOS : '');
  }
  return { topic, messageEncoding: encoding, schema: schemaOf(advertised), metadata: fields };
}

function schemaOf({
  encoding,
  schemaName,
  schemaEncoding,
  schema,
}: Omit<AdvertisedChannel, 'id'>): MessageSchema | undefined {
  if (schemaName === '' && schema === '') return undefined;
  const writtenIn = schemaEncoding ?? (schema === '' ? '' : (USUAL_DEFINITION[encoding] ?? ''));
  const data = Buffer.from(schema, BINARY_DEFINITIONS.has(writtenIn) ? 'base64' : 'utf8');
  return { name: schemaName, encoding: writtenIn, data: new Uint8Array(data) };
}

/** A channel of the server and the key under which its messages are recorded. */
export interface KeyedChannel {
  readonly key: number;
  readonly spec: ChannelSpec;
}

/**
 * What a server offers and what of it is subscribed to. Equal channels have one key, whatever ids the
 * server gives them from connection to connection.
 */
export class ServerChannels {
  readonly #channels: KeyedChannel[] = [];
  readonly #byIdentity = new Map<string, KeyedChannel>();
  /** By the server's id. */
  readonly #offered = new Map<number, AdvertisedChannel>();
  /** By subscription id, which counts from 1. */
  readonly #subscribed = new Map<number, KeyedChannel & { readonly channelId: number | undefined }>();

  /** The connection or the session is over: ids mean nothing any more, keys stay. */
  forget(): void {
    this.#offered.clear();
    this.#subscribed.clear();
  }

  advertised(channels: readonly AdvertisedChannel[]): void {
    for (const channel of channels) this.#offered.set(channel.id, channel);
  }

  /** @returns the channel, if it was subscribed to. */
  unadvertised(channelId: number): KeyedChannel | undefined {
    this.#offered.delete(channelId);
    for (const [id, subscription] of this.#subscribed) {
      if (subscription.channelId !== channelId) continue;
      this.#subscribed.set(id, { ...subscription, channelId: undefined });
      return subscription;
    }
    return undefined;
  }

  /** Subscribes to what is offered, wanted and not yet subscribed to. */
  subscribe(topics: TopicSet | undefined): {
    readonly subscriptions: readonly Subscription[];
    /** Channels that have never been there before. */
    readonly appeared: readonly KeyedChannel[];
    /** Channels that were there before, and are again. */
    readonly returned: readonly KeyedChannel[];
  } {
    const subscriptions: Subscription[] = [];
    const appeared: KeyedChannel[] = [];
    const returned: KeyedChannel[] = [];
    const taken = new Set(this.#subscribed.values().map(({ channelId }) => channelId));
    for (const offered of this.#offered.values()) {
      if (taken.has(offered.id) || topics?.has(offered.topic) === false) continue;
      const { channel, isNew } = this.#keyed(offered);
      (isNew ? appeared : returned).push(channel);
      const id = this.#subscribed.size + 1;
      this.#subscribed.set(id, { ...channel, channelId: offered.id });
      subscriptions.push({ id, channelId: offered.id });
    }
    return { subscriptions, appeared, returned };
  }

  of(subscriptionId: number): KeyedChannel | undefined {
    return this.#subscribed.get(subscriptionId);
  }

  /** Types that a topic has had, in the order in which they appeared. */
  typesOf(topic: string): readonly string[] {
    const ofTopic = this.#channels.filter(({ spec }) => spec.topic === topic);
    return [...new Set(ofTopic.map(({ spec }) => spec.schema?.name ?? spec.messageEncoding))];
  }

  #keyed({ id: _, ...offered }: AdvertisedChannel): { channel: KeyedChannel; isNew: boolean } {
    const identity = JSON.stringify(Object.entries(offered).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#byIdentity.get(identity);
    if (known) return { channel: known, isNew: false };
    const channel = { key: this.#channels.length, spec: channelSpecOf(offered) };
    this.#channels.push(channel);
    this.#byIdentity.set(identity, channel);
    return { channel, isNew: true };
  }
}
