import type { MessageValue } from '../../schemas/message.ts';
import type { CheckedStream } from './subject.ts';

/** A message as all checks see it: decoded at most once, pictures at a reduced rate and size. */
export interface Observation {
  readonly stream: CheckedStream;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  /** Of its header, or of its first transform; undefined for types without. */
  readonly sensorTime: bigint | undefined;
  /** Of the publisher; 0 where it gives none. */
  readonly sequence: number;
  /** Length of the payload. */
  readonly bytes: number;
  /** Equal for equal payloads, header aside; of large ones only samples are read. */
  readonly fingerprint: number;
  /** Decoded when first asked for; undefined for pictures between two looks, and where it does not decode. */
  readonly value: MessageValue | undefined;
  /** Why the payload or the picture does not decode. */
  readonly fault: string | undefined;
  /** Of the pictures that are looked at: four a second. */
  readonly picture: Picture | undefined;
}

/** A picture brought down to what checks need. */
export interface Picture {
  /** Of the picture as sent. */
  readonly width: number;
  readonly height: number;
  /** `jpeg`, `png`, `rgb8`, `16UC1`. */
  readonly encoding: string;
  /** Brightness 0 to 255 for colour and grey, [lumaHeight, lumaWidth], row-major; at most 320 wide. */
  readonly luma: Uint8Array;
  readonly lumaWidth: number;
  readonly lumaHeight: number;
  /** Of depth pictures instead: metres, NaN for holes, sampled to the same size. */
  readonly depth?: Float32Array;
}
