import { MessageError } from './errors.ts';
import type { ChannelSpec, MessageValue } from './message.ts';
import { createDecoder, createEncoder } from './message-codec.ts';
import { z } from './validation.ts';

/** Every control of the operator is a message on this topic, on the same clock as the streams. */
export const EVENTS_TOPIC = '/kinescribe/events';

const eventSchema = z.strictObject({
  /**
   * `pause` and `resume` mark what the operator does not count as demonstration; recording goes on all the same.
   * A pause without a resume lasts to the take's end.
   */
  event: z.enum([
    'start',
    'stop',
    'pause',
    'resume',
    'mistake',
    'note',
    /** The clock that log times were tied to was set; log times did not follow. */
    'clock-step',
    /** Messages of a topic may not be what its definition says; the text says which and why. */
    'definition-disputed',
  ]),
  /** Who said it, as a pseudonym; `recorder` for what the recorder noticed. */
  by: z.string(),
  text: z.string().optional(),
});

export type EpisodeEvent = Readonly<z.infer<typeof eventSchema>>;

/** `std_msgs/msg/String` with JSON inside: rosbag2 and Foxglove read it without a package of ours. */
export const EVENTS_CHANNEL: ChannelSpec = {
  topic: EVENTS_TOPIC,
  messageEncoding: 'cdr',
  schema: {
    name: 'std_msgs/msg/String',
    encoding: 'ros2msg',
    data: new TextEncoder().encode('string data\n'),
  },
  metadata: new Map(),
};

const encode = createEncoder(EVENTS_TOPIC, EVENTS_CHANNEL.schema!);
const decode = createDecoder(EVENTS_CHANNEL);

export function encodeEvent(event: EpisodeEvent): Uint8Array {
  return encode({ data: JSON.stringify(eventSchema.parse(event)) } satisfies MessageValue);
}

/** @throws {MessageError} when the payload is not an event. */
export function decodeEvent(data: Uint8Array): EpisodeEvent {
  const text = String(decode(data).data);
  try {
    return eventSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new MessageError(
      EVENTS_TOPIC,
      `Cannot read a message on "${EVENTS_TOPIC}": an event of the recorder is JSON with "event" and "by", found ` +
        `${JSON.stringify(text.slice(0, 200))}. It may be of a later version: update kinescribe.`,
      { cause },
    );
  }
}
