import { z } from '../schemas/validation.ts';
import type { ClientFrame } from './protocol.ts';
import {
  CLIENT_MESSAGE_DATA,
  PLAYBACK_COMMANDS,
  PLAYBACK_CONTROL_REQUEST,
  SERVICE_CALL_REQUEST,
} from './protocol-client.ts';
import { decodeServiceCall, slice } from './protocol-server.ts';

/** A frame of a client, or in one sentence what is wrong with it: whatever comes, this never throws. */
export type ParsedFrame = { readonly frame: ClientFrame } | { readonly fault: string };

export function parseClientFrame(frame: string | Uint8Array): ParsedFrame {
  return typeof frame === 'string' ? parseText(frame) : parseBinary(frame);
}

/** More names or ids in one frame than any episode has topics: a client gone wrong. */
const MAX_ITEMS = 10_000;
const id = z.uint32();
const names = z.array(z.string()).max(MAX_ITEMS);

const textFrame = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('subscribe'),
    subscriptions: z.array(z.object({ id, channelId: id })).max(MAX_ITEMS),
  }),
  z.object({ op: z.literal('unsubscribe'), subscriptionIds: z.array(id).max(MAX_ITEMS) }),
  z.object({ op: z.literal('getParameters'), parameterNames: names, id: z.string().optional() }),
  z.object({
    op: z.literal('setParameters'),
    parameters: z.array(z.object({ name: z.string(), value: z.unknown() })).max(MAX_ITEMS),
    id: z.string().optional(),
  }),
  z.object({ op: z.literal('subscribeParameterUpdates'), parameterNames: names }),
  z.object({ op: z.literal('unsubscribeParameterUpdates'), parameterNames: names }),
  z.object({
    op: z.literal('advertise'),
    channels: z.array(z.object({ id, topic: z.string(), encoding: z.string() })).max(MAX_ITEMS),
  }),
  z.object({ op: z.literal('unadvertise'), channelIds: z.array(id).max(MAX_ITEMS) }),
  z.object({ op: z.literal('subscribeConnectionGraph') }),
  z.object({ op: z.literal('unsubscribeConnectionGraph') }),
  z.object({ op: z.literal('fetchAsset'), requestId: id, uri: z.string() }),
]);

function parseText(frame: string): ParsedFrame {
  let json: unknown;
  try {
    json = JSON.parse(frame);
  } catch {
    return { fault: 'Text frame is not JSON' };
  }
  const parsed = textFrame.safeParse(json);
  if (parsed.success) return { frame: parsed.data };
  const [issue] = parsed.error.issues;
  return { fault: `Text frame not understood: ${issue?.path.join('.')}: ${issue?.message}` };
}

function parseBinary(bytes: Uint8Array): ParsedFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (view.getUint8(0)) {
      case CLIENT_MESSAGE_DATA:
        return {
          frame: { op: 'messageData', channelId: view.getUint32(1, true), payload: bytes.subarray(5) },
        };
      case SERVICE_CALL_REQUEST:
        return { frame: { op: 'serviceCallRequest', ...decodeServiceCall(view, bytes) } };
      case PLAYBACK_CONTROL_REQUEST:
        return parsePlaybackControl(view, bytes);
      default:
        return { fault: `Binary frame has unknown opcode ${bytes[0]}` };
    }
  } catch (error) {
    if (error instanceof RangeError) return { fault: `Binary frame is cut off: ${error.message}` };
    throw error;
  }
}

function parsePlaybackControl(view: DataView, bytes: Uint8Array): ParsedFrame {
  const command = PLAYBACK_COMMANDS[view.getUint8(1)];
  if (!command) return { fault: `Playback command ${view.getUint8(1)} is neither 0 (play) nor 1 (pause)` };
  const hasSeek = view.getUint8(6) !== 0;
  return {
    frame: {
      op: 'playbackControlRequest',
      command,
      speed: view.getFloat32(2, true),
      ...(hasSeek && { seekTime: view.getBigUint64(7, true) }),
      requestId: new TextDecoder().decode(slice(bytes, 19, view.getUint32(15, true))),
    },
  };
}
