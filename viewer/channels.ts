import type { Channel, ChannelSpec } from '../schemas/message.ts';
import type { AdvertisedChannel } from './protocol.ts';

/** One topic as clients see it. */
export interface ReplayChannel {
  readonly advertised: AdvertisedChannel;
  /** The topic's name in the file; the advertised one bears a suffix where two types share a name. */
  readonly topic: string;
  /** Channels of the file that carry it: one per publisher in some recordings. */
  readonly channelIds: ReadonlySet<number>;
  /** Messages that late subscribers get, summed over publishers; 0 where the topic is not latched. */
  readonly latchedDepth: number;
  /** Whether single messages may be left out for a slow client: big, and soon replaced by the next. */
  readonly droppable: boolean;
}

/**
 * What to advertise for the channels of an episode. Clients accept one channel per topic: channels of
 * equal topic and type become one, others get a suffix.
 */
export function replayChannels(channels: Iterable<Channel>): readonly ReplayChannel[] {
  const groups = [...Map.groupBy(channels, identity).values()];
  const taken = new Set<string>();
  return groups.map((group, index) => {
    const [first] = group as [Channel, ...Channel[]];
    const topic = freeName(first.topic, taken);
    taken.add(topic);
    return {
      advertised: { ...advertisement(first), id: index + 1, topic },
      topic: first.topic,
      channelIds: new Set(group.map(({ id }) => id)),
      latchedDepth: group.reduce((depth, { metadata }) => depth + latchedDepth(metadata), 0),
      droppable: isDroppable(first),
    };
  });
}

/** Whether single messages may be left out for a slow client: big, and soon replaced by the next. */
export function isDroppable({ schema }: ChannelSpec): boolean {
  return DROPPABLE.test(schema?.name ?? '');
}

/** Pictures and clouds in the type names of ROS and of Foxglove; video frames build on each other. */
const DROPPABLE = /(^|[./])(Image|CompressedImage|RawImage|PointCloud2?|CompressedPointCloud|LaserScan)$/;

/** Equal for channels that one advertisement can stand for. */
function identity({ topic, messageEncoding, schema }: Channel): string {
  const definition = schema && Buffer.from(schema.data).toString('latin1');
  return JSON.stringify([topic, messageEncoding, schema?.name, schema?.encoding, definition]);
}

/** The topic, or with a suffix where the name is taken. */
export function freeName(topic: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? topic : `${topic}_${count}`;
    if (!taken.has(name)) return name;
  }
}

/** Binary definitions travel as base64, texts as they are. */
const BINARY_DEFINITIONS = new Set(['protobuf', 'flatbuffer']);

/** What is advertised of a channel beside its name and number. */
export function advertisement({
  messageEncoding,
  schema,
  metadata,
}: ChannelSpec): Omit<AdvertisedChannel, 'id' | 'topic'> {
  const common = {
    encoding: messageEncoding,
    ...(metadata.size > 0 && { metadata: Object.fromEntries(metadata) }),
  };
  if (!schema) return { ...common, schemaName: '', schema: '' };
  const definition = Buffer.from(schema.data);
  return {
    ...common,
    schemaName: schema.name,
    ...(schema.encoding && { schemaEncoding: schema.encoding }),
    schema: definition.toString(BINARY_DEFINITIONS.has(schema.encoding) ? 'base64' : 'utf8'),
  };
}

/** A publisher of thousands of latched messages would make every seek a bulk transfer. */
const MAX_DEPTH = 100;

/**
 * Sum of the history depths of the transient-local publishers, from rosbag2's `offered_qos_profiles`: a
 * YAML list with one entry per publisher. Older files write the policies' numbers, newer ones their names.
 */
export function latchedDepth(metadata: ReadonlyMap<string, string>): number {
  const profiles = (metadata.get('offered_qos_profiles') ?? '').split(/^- /m);
  const depths = profiles.map((profile) => {
    if (!/^\s*durability: (1|transient_local)\s*$/m.test(profile)) return 0;
    // Discovery does not carry the depth of some middlewares and says 0: one message is latched at least.
    return Math.max(1, Number(/^\s*depth: (\d+)/m.exec(profile)?.[1] ?? 1));
  });
  return Math.min(
    MAX_DEPTH,
    depths.reduce((sum, depth) => sum + depth, 0),
  );
}
