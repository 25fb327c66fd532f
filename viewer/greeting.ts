import { nanosToStamp } from '../schemas/time.ts';
import type { ReplayChannel } from './channels.ts';
import type { Capability, JsonTime, ServerText, Subprotocol } from './protocol.ts';
import { ADVERTISED_SERVICES, type PlaybackRange } from './replay-controls.ts';

export interface GreetingOptions {
  readonly subprotocol: Subprotocol;
  /** Whether it is the connection's first; services stay what they are. */
  readonly isFirst: boolean;
  readonly episodeId: string;
  readonly channels: readonly ReplayChannel[];
  readonly range: PlaybackRange;
}

/** Channels in one text frame; the SDK's own number. */
const ADVERTISE_BATCH = 100;

/** What a client is told when an episode is opened for it, in the order that clients expect. */
export function greeting({
  subprotocol,
  isFirst,
  episodeId,
  channels,
  range,
}: GreetingOptions): ServerText[] {
  const hasControl = subprotocol === 'foxglove.sdk.v1';
  const capabilities: Capability[] = [
    'time',
    'parameters',
    'parametersSubscribe',
    'services',
    'clientPublish',
    'connectionGraph',
    'assets',
  ];
  const messages: ServerText[] = [
    {
      op: 'serverInfo',
      name: `Kinescribe: ${episodeId}`,
      capabilities: hasControl ? [...capabilities, 'playbackControl'] : capabilities,
      supportedEncodings: ['json'],
      // Makes Lichtblick treat the topics as ROS 2 ones; their definitions come with the channels.
      ...(channels.some(({ advertised }) => advertised.encoding === 'cdr') && {
        metadata: { ROS_DISTRO: 'jazzy' },
      }),
      sessionId: `${episodeId} ${crypto.randomUUID()}`,
      ...(hasControl && {
        dataStartTime: jsonTime(range.startTime),
        dataEndTime: jsonTime(range.lastTime),
      }),
    },
  ];
  for (let first = 0; first < channels.length; first += ADVERTISE_BATCH) {
    const batch = channels.slice(first, first + ADVERTISE_BATCH).map(({ advertised }) => advertised);
    messages.push({ op: 'advertise', channels: batch });
  }
  if (isFirst) messages.push({ op: 'advertiseServices', services: ADVERTISED_SERVICES });
  return messages;
}

function jsonTime(time: bigint): JsonTime {
  const { sec, nanosec } = nanosToStamp(time);
  return { sec, nsec: nanosec };
}
