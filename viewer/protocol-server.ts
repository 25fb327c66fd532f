import {
  type AssetAnswer,
  PLAYBACK_STATUSES,
  type PlaybackState,
  type ServerBinary,
  type ServerText,
  type ServiceCall,
} from './protocol.ts';

/** Frames of the server: written here for the bridge, read here for the page. All integers little-endian. */

const text = new TextEncoder();
const fromUtf8 = new TextDecoder();

const MESSAGE_DATA = 1;
const TIME = 2;
const SERVICE_CALL_RESPONSE = 3;
const FETCH_ASSET_RESPONSE = 4;
const PLAYBACK_STATE = 5;

export function encodeServerText(message: ServerText): string {
  return JSON.stringify(message);
}

/** Copies the payload: it may be a view that is reused. */
export function encodeMessageData(
  subscriptionId: number,
  logTime: bigint,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { bytes, view } = frame(MESSAGE_DATA, 12 + payload.byteLength);
  view.setUint32(1, subscriptionId, true);
  view.setBigUint64(5, logTime, true);
  bytes.set(payload, 13);
  return bytes;
}

export function encodeTime(time: bigint): Uint8Array<ArrayBuffer> {
  const { bytes, view } = frame(TIME, 8);
  view.setBigUint64(1, time, true);
  return bytes;
}

export function encodeServiceCallResponse(call: ServiceCall): Uint8Array<ArrayBuffer> {
  return encodeServiceCall(SERVICE_CALL_RESPONSE, call);
}

/** Request and response differ in the opcode alone. */
export function encodeServiceCall(
  opcode: number,
  { serviceId, callId, encoding, payload }: ServiceCall,
): Uint8Array<ArrayBuffer> {
  const name = text.encode(encoding);
  const { bytes, view } = frame(opcode, 12 + name.byteLength + payload.byteLength);
  view.setUint32(1, serviceId, true);
  view.setUint32(5, callId, true);
  view.setUint32(9, name.byteLength, true);
  bytes.set(name, 13);
  bytes.set(payload, 13 + name.byteLength);
  return bytes;
}

export function encodeAssetAnswer(answer: AssetAnswer): Uint8Array<ArrayBuffer> {
  const fault = text.encode('fault' in answer ? answer.fault : '');
  const data = 'data' in answer ? answer.data : new Uint8Array();
  const { bytes, view } = frame(FETCH_ASSET_RESPONSE, 9 + fault.byteLength + data.byteLength);
  view.setUint32(1, answer.requestId, true);
  view.setUint8(5, 'fault' in answer ? 1 : 0);
  view.setUint32(6, fault.byteLength, true);
  bytes.set(fault, 10);
  bytes.set(data, 10 + fault.byteLength);
  return bytes;
}

export function encodePlaybackState({
  status,
  currentTime,
  speed,
  didSeek,
  requestId = '',
}: PlaybackState): Uint8Array<ArrayBuffer> {
  const id = text.encode(requestId);
  const { bytes, view } = frame(PLAYBACK_STATE, 18 + id.byteLength);
  view.setUint8(1, PLAYBACK_STATUSES.indexOf(status));
  view.setBigUint64(2, currentTime, true);
  view.setFloat32(10, speed, true);
  view.setUint8(14, didSeek ? 1 : 0);
  view.setUint32(15, id.byteLength, true);
  bytes.set(id, 19);
  return bytes;
}

/**
 * Reads a binary frame of a server; undefined for opcodes this version does not know.
 *
 * @throws {RangeError} when the frame is shorter than its opcode asks for.
 */
export function decodeServerBinary(bytes: Uint8Array): ServerBinary | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint8(0)) {
    case MESSAGE_DATA:
      return {
        op: 'messageData',
        subscriptionId: view.getUint32(1, true),
        logTime: view.getBigUint64(5, true),
        payload: bytes.subarray(13),
      };
    case TIME:
      return { op: 'time', time: view.getBigUint64(1, true) };
    case SERVICE_CALL_RESPONSE:
      return { op: 'serviceCallResponse', ...decodeServiceCall(view, bytes) };
    case FETCH_ASSET_RESPONSE: {
      const faultLength = view.getUint32(6, true);
      const common = { op: 'fetchAssetResponse', requestId: view.getUint32(1, true) } as const;
      if (view.getUint8(5) === 0) return { ...common, data: bytes.subarray(10 + faultLength) };
      return { ...common, fault: fromUtf8.decode(slice(bytes, 10, faultLength)) };
    }
    case PLAYBACK_STATE: {
      const idLength = view.getUint32(15, true);
      return {
        op: 'playbackState',
        status: PLAYBACK_STATUSES[view.getUint8(1)] ?? 'buffering',
        currentTime: view.getBigUint64(2, true),
        speed: view.getFloat32(10, true),
        didSeek: view.getUint8(14) !== 0,
        ...(idLength > 0 && { requestId: fromUtf8.decode(slice(bytes, 19, idLength)) }),
      };
    }
    default:
      return undefined;
  }
}

/** @throws {RangeError} when the frame is too short. */
export function decodeServiceCall(view: DataView, bytes: Uint8Array): ServiceCall {
  const encodingLength = view.getUint32(9, true);
  return {
    serviceId: view.getUint32(1, true),
    callId: view.getUint32(5, true),
    encoding: fromUtf8.decode(slice(bytes, 13, encodingLength)),
    payload: bytes.subarray(13 + encodingLength),
  };
}

/** @throws {RangeError} when the frame ends before the slice does. */
export function slice(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (start + length > bytes.byteLength) {
    throw new RangeError(`${length} bytes from byte ${start} on, frame has ${bytes.byteLength}`);
  }
  return bytes.subarray(start, start + length);
}

/** A frame of `length` bytes after its opcode. */
export function frame(opcode: number, length: number): { bytes: Uint8Array<ArrayBuffer>; view: DataView } {
  const bytes = new Uint8Array(1 + length);
  bytes[0] = opcode;
  return { bytes, view: new DataView(bytes.buffer) };
}
