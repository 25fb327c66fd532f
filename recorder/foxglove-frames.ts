import { stampToNanos } from '../schemas/time.ts';
import { z } from '../schemas/validation.ts';

/**
 * The frames of the Foxglove WebSocket protocol that a recorder reads and writes. Source: foxglove-sdk,
 * `rust/foxglove/src/protocol`; all integers are little-endian. What comes is a stranger's: nothing here throws.
 */

/** In the order of preference; both have one wire format, the SDK's adds playback control. */
export const SUBPROTOCOLS: readonly string[] = ['foxglove.sdk.v1', 'foxglove.websocket.v1'];

export interface ServerInfo {
  readonly op: 'serverInfo';
  readonly capabilities: readonly string[];
  /** Another one than before means that the server has forgotten everything. */
  readonly sessionId?: string | undefined;
  /** First instant of what a replay can play. */
  readonly dataStartTime?: bigint | undefined;
}

export interface AdvertisedChannel {
  readonly id: number;
  readonly topic: string;
  readonly encoding: string;
  readonly schemaName: string;
  readonly schemaEncoding?: string | undefined;
  /** Text, or base64 for `protobuf` and `flatbuffer`. */
  readonly schema: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export type ServerFrame =
  | ServerInfo
  | { readonly op: 'status'; readonly level: number; readonly message: string }
  | { readonly op: 'advertise'; readonly channels: readonly AdvertisedChannel[] }
  | { readonly op: 'unadvertise'; readonly channelIds: readonly number[] }
  | {
      readonly op: 'messageData';
      readonly subscriptionId: number;
      /** The server's time of the message. */
      readonly time: bigint;
      /** Alone in its own buffer. */
      readonly payload: Uint8Array<ArrayBuffer>;
    }
  | { readonly op: 'time'; readonly time: bigint }
  | { readonly op: 'playbackState'; readonly hasEnded: boolean; readonly requestId: string };

export interface ParsedFrames {
  /** Empty for what only other clients need. */
  readonly frame?: ServerFrame;
  /** What was not understood, each in one sentence without a full stop. */
  readonly faults: readonly string[];
}

const id = z.int().nonnegative();
const instant = z
  .object({ sec: z.int(), nsec: z.int() })
  .transform(({ sec, nsec }) => stampToNanos({ sec, nanosec: nsec }));

const textFrame = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('serverInfo'),
    capabilities: z.array(z.string()),
    sessionId: z.string().optional(),
    dataStartTime: instant.optional(),
  }),
  z.object({ op: z.literal('status'), level: z.int(), message: z.string() }),
  z.object({ op: z.literal('advertise'), channels: z.array(z.unknown()) }),
  z.object({ op: z.literal('unadvertise'), channelIds: z.array(id) }),
]);

const advertisedChannel = z.object({
  id,
  topic: z.string().min(1),
  encoding: z.string().min(1),
  schemaName: z.string(),
  schemaEncoding: z.string().optional(),
  schema: z.string(),
  metadata: z.record(z.string(), z.string()).optional(),
});

const UNDERSTOOD: ReadonlySet<unknown> = new Set(['serverInfo', 'status', 'advertise', 'unadvertise']);

export function parseText(text: string): ParsedFrames {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { faults: [`a text frame is not JSON but begins with ${JSON.stringify(text.slice(0, 40))}`] };
  }
  const op = z.object({ op: z.string() }).safeParse(json);
  if (!op.success) return { faults: ['a text frame has no "op"'] };
  if (!UNDERSTOOD.has(op.data.op)) return { faults: [] };
  const parsed = textFrame.safeParse(json);
  if (!parsed.success)
    return { faults: [`a frame "${op.data.op}" is not understood: ${whyNot(parsed.error)}`] };
  return parsed.data.op === 'advertise'
    ? parseChannels(parsed.data.channels)
    : { frame: parsed.data, faults: [] };
}

/** One channel that makes no sense must not cost the others. */
function parseChannels(advertised: readonly unknown[]): ParsedFrames {
  const channels: AdvertisedChannel[] = [];
  const faults: string[] = [];
  for (const each of advertised) {
    const parsed = advertisedChannel.safeParse(each);
    if (parsed.success) channels.push(parsed.data);
    else faults.push(`an advertised channel is not understood: ${whyNot(parsed.error)}`);
  }
  return { frame: { op: 'advertise', channels }, faults };
}

function whyNot({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.')}: ${issue?.message}`;
}

const MESSAGE_DATA = 1;
const TIME = 2;
const PLAYBACK_STATE = 5;
const PLAYBACK_ENDED = 3;
const MESSAGE_HEADER_BYTES = 13;

export function parseBinary(buffer: ArrayBuffer): ParsedFrames {
  const view = new DataView(buffer);
  try {
    switch (view.getUint8(0)) {
      case MESSAGE_DATA: {
        const [subscriptionId, time] = [view.getUint32(1, true), view.getBigUint64(5, true)];
        const payload = new Uint8Array(buffer.slice(MESSAGE_HEADER_BYTES));
        return { frame: { op: 'messageData', subscriptionId, time, payload }, faults: [] };
      }
      case TIME:
        return { frame: { op: 'time', time: view.getBigUint64(1, true) }, faults: [] };
      case PLAYBACK_STATE: {
        const requestId = new TextDecoder().decode(new Uint8Array(buffer, 19, view.getUint32(15, true)));
        return {
          frame: { op: 'playbackState', hasEnded: view.getUint8(1) === PLAYBACK_ENDED, requestId },
          faults: [],
        };
      }
      default:
        return { faults: [] }; // answers to requests that a recorder never makes
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { faults: [`a binary frame of ${buffer.byteLength} bytes is cut off`] };
  }
}

export interface Subscription {
  /** The client's own choice; message data bears it. */
  readonly id: number;
  readonly channelId: number;
}

export function encodeSubscribe(subscriptions: readonly Subscription[]): string {
  return JSON.stringify({ op: 'subscribe', subscriptions });
}

const PLAYBACK_CONTROL_REQUEST = 3;
const PLAY = 0;

/** Asks a replay to go to an instant and play from there at the recorded speed. */
export function encodePlayFrom(time: bigint, requestId: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(requestId);
  const bytes = new Uint8Array(19 + name.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, PLAYBACK_CONTROL_REQUEST);
  view.setUint8(1, PLAY);
  view.setFloat32(2, 1, true);
  view.setUint8(6, 1); // the seek time holds
  view.setBigUint64(7, time, true);
  view.setUint32(15, name.byteLength, true);
  bytes.set(name, 19);
  return bytes;
}
