import type { StreamQos } from '../schemas/contract.ts';

/**
 * Quality of service of topics in the words of ROS 2. The place of a word in its list is its number in
 * `rmw/types.h`, which bindings and old recordings use instead of the word.
 */
export const HISTORY = ['system_default', 'keep_last', 'keep_all', 'unknown'] as const;
export const RELIABILITY = [
  'system_default',
  'reliable',
  'best_effort',
  'unknown',
  'best_available',
] as const;
export const DURABILITY = [
  'system_default',
  'transient_local',
  'volatile',
  'unknown',
  'best_available',
] as const;
export const LIVELINESS = [
  'system_default',
  'automatic',
  'manual_by_node',
  'manual_by_topic',
  'unknown',
  'best_available',
] as const;

/** `rmw_time_t`; infinite is 9223372036 s and 854775807 ns. */
export interface QosDuration {
  readonly sec: bigint;
  readonly nsec: bigint;
}

/** What one publisher offers. */
export interface OfferedQos {
  readonly history: (typeof HISTORY)[number];
  readonly depth: number;
  readonly reliability: (typeof RELIABILITY)[number];
  readonly durability: (typeof DURABILITY)[number];
  readonly deadline: QosDuration;
  readonly lifespan: QosDuration;
  readonly liveliness: (typeof LIVELINESS)[number];
  readonly livelinessLeaseDuration: QosDuration;
  readonly avoidRosNamespaceConventions: boolean;
}

/** What our subscription asks for; its history is always `keep_last`. */
export interface RequestedQos {
  readonly reliability: 'reliable' | 'best_effort';
  readonly durability: 'transient_local' | 'volatile';
  /** Messages the middleware holds while our thread is busy; beyond it drops the oldest in silence. */
  readonly depth: number;
}

/**
 * Two seconds of a 1 kHz topic; what a stalled event loop needs in the worst case. Memory is taken only
 * as messages wait.
 */
const DEPTH = 2000;
/** Two seconds of a 30 Hz camera: 55 MB of 640 x 480 pictures. */
const LARGE_DEPTH = 60;
const LARGE_TYPE = /\/\w*(Image|PointCloud|Video|Packet|Grid|Octomap|Mesh)\w*$/;

/**
 * The strongest request that every publisher of a topic matches, as rosbag2 chooses it: reliable if all
 * are, transient-local if all are. A request stronger than an offer receives nothing, in silence.
 *
 * @param offers of all publishers of the topic; at least one.
 * @param override what the contract wants all the same.
 */
export function requestedQos(
  type: string,
  offers: readonly OfferedQos[],
  override: StreamQos = {},
): RequestedQos {
  return {
    reliability: offers.every((offer) => offer.reliability === 'reliable') ? 'reliable' : 'best_effort',
    durability: offers.every((offer) => offer.durability === 'transient_local')
      ? 'transient_local'
      : 'volatile',
    depth: depthOf(type),
    ...override,
  };
}

/** Whether a publisher offers less than a request demands, so that it is not heard. */
export function isTooStrong({ reliability, durability }: RequestedQos, offer: OfferedQos): boolean {
  return (
    (reliability === 'reliable' && offer.reliability === 'best_effort') ||
    (durability === 'transient_local' && offer.durability === 'volatile')
  );
}

function depthOf(type: string): number {
  return LARGE_TYPE.test(type) ? LARGE_DEPTH : DEPTH;
}

/**
 * What to offer so that whoever heard the recorded publishers of a topic hears its replay: reliable unless
 * none of them was, latched if one was.
 *
 * @param offered text of the channel metadata `offered_qos_profiles`; empty where nobody told.
 */
export function replayedQos(type: string, offered: string): RequestedQos {
  const isBestEffort = /reliability:/.test(offered) && !/reliability:\s*(reliable|1)\b/.test(offered);
  const reliability = isBestEffort ? 'best_effort' : 'reliable';
  if (!offersLatched(offered)) return { reliability, durability: 'volatile', depth: depthOf(type) };
  // One publisher stands for all of them: a late subscriber gets what each would have kept for it.
  const depths = [...offered.matchAll(/\bdepth:\s*(\d+)/g)].map(([, depth]) => Number(depth));
  const kept = depths.reduce((sum, depth) => sum + depth, 0);
  return { reliability, durability: 'transient_local', depth: kept || depthOf(type) };
}

/** Whether one of the publishers that `offered_qos_profiles` tells of keeps its last messages for latecomers. */
export function offersLatched(offered: string): boolean {
  // rosbag2 writes `durability: transient_local`, older versions the number 1.
  return /durability:\s*(transient_local|1)\b/.test(offered);
}

/**
 * Whether a subscription has to be made anew for the publishers that are there now: it would miss one of
 * them, or the latched messages of all. A request that is merely weaker than it could be stays, because
 * messages may be lost between the old subscription and the new one.
 */
export function outdated(current: RequestedQos, wanted: RequestedQos): boolean {
  const tooStrong = current.reliability === 'reliable' && wanted.reliability === 'best_effort';
  return tooStrong || current.durability !== wanted.durability;
}

/**
 * The text of the channel metadata `offered_qos_profiles` as rosbag2 writes it.
 *
 * @param form of the policies: rosbag2 writes numbers up to ROS 2 Iron and names since Jazzy.
 */
export function formatOfferedQos(offers: readonly OfferedQos[], form: 'names' | 'numbers'): string {
  const policy = <Word extends string>(words: readonly Word[], word: Word) =>
    form === 'names' ? word : String(words.indexOf(word));
  const duration = ({ sec, nsec }: QosDuration) => `\n    sec: ${sec}\n    nsec: ${nsec}`;
  return offers
    .map((offer) =>
      [
        `- history: ${policy(HISTORY, offer.history)}`,
        `  depth: ${offer.depth}`,
        `  reliability: ${policy(RELIABILITY, offer.reliability)}`,
        `  durability: ${policy(DURABILITY, offer.durability)}`,
        `  deadline:${duration(offer.deadline)}`,
        `  lifespan:${duration(offer.lifespan)}`,
        `  liveliness: ${policy(LIVELINESS, offer.liveliness)}`,
        `  liveliness_lease_duration:${duration(offer.livelinessLeaseDuration)}`,
        `  avoid_ros_namespace_conventions: ${offer.avoidRosNamespaceConventions}`,
      ].join('\n'),
    )
    .join('\n');
}

/** A type hash as the middleware gives it. */
export interface TypeHash {
  /** 0 where the publisher did not tell. */
  readonly version: number;
  readonly value: Uint8Array;
}

/**
 * The text of the channel metadata `topic_type_hash`, `RIHS01_…`; empty where no publisher tells or two
 * disagree, as rosbag2 has it (REP 2016).
 */
export function formatTypeHash(hashes: readonly TypeHash[]): string {
  const texts = new Set(
    hashes
      .filter(({ version }) => version === 1)
      .map(({ value }) => `RIHS01_${Buffer.from(value).toString('hex')}`),
  );
  return texts.size === 1 ? [...texts][0]! : '';
}
