import type { AudioFormat, AudioTrack } from '../../schemas/contract-audio.ts';
import { SAMPLE_BYTES, sampleBytes } from '../../schemas/contract-audio.ts';

type WavForm = Pick<AudioTrack, 'sampleRateHz' | 'channels' | 'format'>;

/** What a WAV file says of its samples, and where they lie in it. */
export interface WavHeader extends WavForm {
  readonly offset: number;
  /** Of the samples. */
  readonly bytes: number;
}

/** `wFormatTag`: PCM, IEEE float. */
const TAGS: Readonly<Record<AudioFormat, number>> = { s16le: 1, f32le: 3 };

/**
 * The bytes before the samples of a RIFF/WAVE file ("Multimedia Programming Interface and Data Specifications 1.0",
 * 1991). Floats have the chunk "fact", as all but PCM must.
 *
 * @throws {RangeError} beyond 4 GiB, which the format cannot count.
 */
export function wavHeader(form: WavForm, bytes: number): Uint8Array {
  const { sampleRateHz, channels, format } = form;
  const isFloat = format === 'f32le';
  const length = isFloat ? 58 : 44;
  if (length - 8 + bytes > 0xffff_ffff)
    throw new RangeError(`a WAV file cannot hold ${bytes} bytes of sound`);
  const header = Buffer.alloc(length);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(length - 8 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(isFloat ? 18 : 16, 16);
  header.writeUInt16LE(TAGS[format], 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * sampleBytes(form), 28);
  header.writeUInt16LE(sampleBytes(form), 32);
  header.writeUInt16LE(SAMPLE_BYTES[format] * 8, 34);
  if (isFloat) {
    header.write('fact', 38, 'latin1');
    header.writeUInt32LE(4, 42);
    header.writeUInt32LE(bytes / sampleBytes(form), 46);
  }
  header.write('data', length - 8, 'latin1');
  header.writeUInt32LE(bytes, length - 4);
  return header;
}

/**
 * Reads what {@link wavHeader} writes, and the chunks of others before the samples.
 *
 * @param file at least the start of it.
 * @throws {RangeError} when it is no WAV file of these formats.
 */
export function readWavHeader(file: Uint8Array): WavHeader {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const name = (at: number) => view.toString('latin1', at, at + 4);
  if (view.length < 12 || name(0) !== 'RIFF' || name(8) !== 'WAVE') throw new RangeError('it is no WAV file');
  let form: WavForm | undefined;
  for (let at = 12; at + 8 <= view.length; ) {
    const size = view.readUInt32LE(at + 4);
    if (name(at) === 'data') {
      if (!form) break;
      return { ...form, offset: at + 8, bytes: size };
    }
    if (name(at) === 'fmt ' && at + 24 <= view.length) form = formOf(view.subarray(at + 8));
    at += 8 + size + (size % 2);
  }
  throw new RangeError('it is a WAV file without samples');
}

function formOf(fields: Buffer): WavForm {
  const [tag, bits] = [fields.readUInt16LE(0), fields.readUInt16LE(14)];
  const format = (['s16le', 'f32le'] as const).find(
    (each) => TAGS[each] === tag && SAMPLE_BYTES[each] * 8 === bits,
  );
  if (!format) throw new RangeError(`its samples are of kind ${tag} with ${bits} bits`);
  return { format, channels: fields.readUInt16LE(2), sampleRateHz: fields.readUInt32LE(4) };
}
