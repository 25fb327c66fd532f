import type { ChannelSpec, MessageValue } from '../../schemas/message.ts';
import { createDecoder, createSensorTimeReader, type Decode } from '../../schemas/message-codec.ts';
import { stampToNanos } from '../../schemas/time.ts';
import type { Observation, Picture } from './observation.ts';
import { readPicture } from './picture.ts';
import type { Sampled } from './sampler.ts';
import { isPictureType } from './stream-role.ts';
import type { CheckedStream } from './subject.ts';

/** Times of a message beside what was sampled of its payload. */
export interface SampledMessage extends Sampled {
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly sequence: number;
}

/** Makes the observations of one channel; each payload is decoded at most once for all checks together. */
export class ChannelObservations {
  readonly #stream: CheckedStream;
  readonly #spec: ChannelSpec;
  readonly #lookWidth: number | undefined;
  readonly #readStamp: (data: Uint8Array) => bigint | undefined;
  #decode: Decode | undefined;

  constructor(
    stream: CheckedStream,
    spec: ChannelSpec,
    { lookWidth }: { readonly lookWidth?: number | undefined } = {},
  ) {
    this.#stream = stream;
    this.#spec = spec;
    this.#lookWidth = lookWidth;
    const isTransforms = /^tf2_msgs\/(msg\/)?TFMessage$/.test(spec.schema?.name ?? '');
    this.#readStamp = createSensorTimeReader(spec) ?? (isTransforms ? firstTransformTime : () => undefined);
  }

  /** A promise only where a picture is decoded. The payload must stay as it is until it has been observed. */
  observe(message: SampledMessage): Observation | Promise<Observation> {
    if (!message.isWhole || !isPictureType(this.#stream.type)) {
      return new LazyObservation(this.#stream, message, this.#readStamp(message.data), this.#valueOf);
    }
    return this.#look(message);
  }

  async #look(message: SampledMessage): Promise<Observation> {
    const sensorTime = this.#readStamp(message.data);
    const decoded = this.#valueOf(message.data);
    if ('fault' in decoded) return new LazyObservation(this.#stream, message, sensorTime, () => decoded);
    const looked = await readPicture(decoded.value, this.#lookWidth).then(
      (picture) => ({ ...decoded, picture }),
      (error: Error) => ({ fault: error.message }),
    );
    return new LazyObservation(this.#stream, message, sensorTime, () => looked);
  }

  readonly #valueOf = (data: Uint8Array): Decoded => {
    try {
      this.#decode ??= createDecoder(this.#spec);
      return { value: this.#decode(data) };
    } catch (error) {
      return { fault: (error as Error).message };
    }
  };
}

type Decoded =
  | { readonly value: MessageValue; readonly picture?: Picture | undefined }
  | { readonly fault: string };

class LazyObservation implements Observation {
  readonly stream: CheckedStream;
  readonly sensorTime: bigint | undefined;
  readonly #message: SampledMessage;
  readonly #decode: (data: Uint8Array) => Decoded;
  #decoded: Decoded | undefined;

  constructor(
    stream: CheckedStream,
    message: SampledMessage,
    sensorTime: bigint | undefined,
    decode: (data: Uint8Array) => Decoded,
  ) {
    this.stream = stream;
    this.#message = message;
    this.sensorTime = sensorTime;
    this.#decode = decode;
  }

  get logTime(): bigint {
    return this.#message.logTime;
  }

  get publishTime(): bigint {
    return this.#message.publishTime;
  }

  get sequence(): number {
    return this.#message.sequence;
  }

  get bytes(): number {
    return this.#message.bytes;
  }

  get fingerprint(): number {
    return this.#message.fingerprint;
  }

  get value(): MessageValue | undefined {
    const decoded = this.#once();
    return decoded && 'value' in decoded ? decoded.value : undefined;
  }

  get fault(): string | undefined {
    const decoded = this.#once();
    return decoded && 'fault' in decoded ? decoded.fault : undefined;
  }

  get picture(): Picture | undefined {
    const decoded = this.#decoded ?? (isPictureType(this.stream.type) ? this.#once() : undefined);
    return decoded && 'value' in decoded ? decoded.picture : undefined;
  }

  #once(): Decoded | undefined {
    if (!this.#message.isWhole) return undefined;
    this.#decoded ??= this.#decode(this.#message.data);
    return this.#decoded;
  }
}

/** Of a TFMessage: after the encapsulation and the number of transforms. */
function firstTransformTime(data: Uint8Array): bigint | undefined {
  if (data.byteLength < 16) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const littleEndian = (view.getUint8(1) & 1) === 1;
  if (view.getUint32(4, littleEndian) === 0) return undefined;
  return stampToNanos({ sec: view.getInt32(8, littleEndian), nanosec: view.getUint32(12, littleEndian) });
}
