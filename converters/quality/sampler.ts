import { crc32 } from '../../schemas/crc32.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import { createSensorTimeReader } from '../../schemas/message-codec.ts';
import { isPictureType } from './stream-role.ts';

/** Smaller payloads are looked at whole; larger ones, and pictures, at some of them. */
const SMALL_BYTES = 16 * 1024;
/** Pictures and other large messages that are decoded, per second: what live checks can afford. */
const LOOKS_PER_SEC = 4n;
const LOOK_NANOS = 1_000_000_000n / LOOKS_PER_SEC;
/** Of a large payload its fingerprint covers this many slices, evenly spread. */
const SLICES = 16;
const SLICE_BYTES = 256;
/** Encapsulation, seconds and nanoseconds of a leading header. */
const STAMP_BYTES = 12;
const ENCAPSULATION_BYTES = 4;

/** What of a payload goes on to the checks. */
export interface Sampled {
  readonly bytes: number;
  readonly fingerprint: number;
  /** The payload, or its first bytes where it is large and not looked at. A view. */
  readonly data: Uint8Array;
  readonly isWhole: boolean;
}

/** Brings the messages of one channel down to what the checks need; costs a few microseconds a message. */
export class Sampler {
  readonly #skip: number;
  readonly #smallBytes: number;
  #nextLook = 0n;

  constructor(spec: ChannelSpec) {
    this.#skip = createSensorTimeReader(spec) ? STAMP_BYTES : ENCAPSULATION_BYTES;
    this.#smallBytes = isPictureType(spec.schema?.name ?? '') ? 0 : SMALL_BYTES;
  }

  sample(data: Uint8Array, logTime: bigint): Sampled {
    const bytes = data.byteLength;
    const fingerprint = this.#fingerprint(data);
    if (bytes <= this.#smallBytes) return { bytes, fingerprint, data, isWhole: true };
    const isWhole = logTime >= this.#nextLook;
    if (isWhole) this.#nextLook = logTime + LOOK_NANOS;
    return { bytes, fingerprint, data: isWhole ? data : data.subarray(0, STAMP_BYTES), isWhole };
  }

  /** The stamp is left out: the same picture under a new stamp has the same fingerprint. */
  #fingerprint(data: Uint8Array): number {
    const body = data.subarray(this.#skip);
    if (body.byteLength <= SLICES * SLICE_BYTES) return crc32(body, body.byteLength);
    let sum = body.byteLength;
    const step = Math.floor((body.byteLength - SLICE_BYTES) / (SLICES - 1));
    for (let i = 0; i < SLICES; i++) sum = crc32(body.subarray(i * step, i * step + SLICE_BYTES), sum);
    return sum;
  }
}
