import type { Parameter, PlaybackControl, ServiceCall, Subscription } from './protocol.ts';
import { encodeServiceCall, frame } from './protocol-server.ts';

/** Frames of a client, written: what the page sends. Reading them is `protocol-parse.ts`. */

export const CLIENT_MESSAGE_DATA = 1;
export const SERVICE_CALL_REQUEST = 2;
export const PLAYBACK_CONTROL_REQUEST = 3;

/** In the order of their numbers on the wire. */
export const PLAYBACK_COMMANDS = ['play', 'pause'] as const;

const text = new TextEncoder();

export function encodeSubscribe(subscriptions: readonly Subscription[]): string {
  return JSON.stringify({ op: 'subscribe', subscriptions });
}

export function encodeUnsubscribe(subscriptionIds: readonly number[]): string {
  return JSON.stringify({ op: 'unsubscribe', subscriptionIds });
}

export function encodeSetParameters(parameters: readonly Parameter[], id?: string): string {
  return JSON.stringify({ op: 'setParameters', parameters, id });
}

export function encodeServiceCallRequest(call: ServiceCall): Uint8Array<ArrayBuffer> {
  return encodeServiceCall(SERVICE_CALL_REQUEST, call);
}

export function encodePlaybackControl({
  command,
  speed,
  seekTime,
  requestId,
}: PlaybackControl): Uint8Array<ArrayBuffer> {
  const id = text.encode(requestId);
  const { bytes, view } = frame(PLAYBACK_CONTROL_REQUEST, 18 + id.byteLength);
  view.setUint8(1, PLAYBACK_COMMANDS.indexOf(command));
  view.setFloat32(2, speed, true);
  view.setUint8(6, seekTime === undefined ? 0 : 1);
  view.setBigUint64(7, seekTime ?? 0n, true); // always present, unlike what its flag says
  view.setUint32(15, id.byteLength, true);
  bytes.set(id, 19);
  return bytes;
}
