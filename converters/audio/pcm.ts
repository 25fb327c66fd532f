import { type AudioTrack, sampleBytes } from '../../schemas/contract-audio.ts';
import type { MessageValue } from '../../schemas/message.ts';
import { bytesOf } from '../feature-pick.ts';

/**
 * The samples of a message, interleaved, as the contract declares them.
 *
 * @returns a view of the message.
 * @throws {RangeError} when it holds something else.
 */
export function pcmOf(message: MessageValue, type: string, track: AudioTrack): Uint8Array {
  const bytes = payloadOf(message, type, track);
  if (bytes.byteLength % sampleBytes(track) !== 0) {
    throw new RangeError(
      `${bytes.byteLength} bytes are no whole samples of ${track.channels} × ${sampleBytes(track) / track.channels} bytes`,
    );
  }
  return bytes;
}

function payloadOf(message: MessageValue, type: string, track: AudioTrack): Uint8Array {
  switch (type.replace('/msg/', '/')) {
    case 'audio_common_msgs/AudioData':
      return bytesOf(message);
    case 'audio_common_msgs/AudioDataStamped':
      return bytesOf(message.audio as MessageValue);
    case 'foxglove_msgs/RawAudio': {
      const { format, sample_rate, number_of_channels } = message;
      checkDeclared(track, {
        ...{ sampleRateHz: sample_rate, channels: number_of_channels },
        format: format === 'pcm-s16' ? 's16le' : format,
      });
      return bytesOf(message);
    }
    default:
      throw new RangeError(
        'the type is not one of "audio_common_msgs/msg/AudioData", "audio_common_msgs/msg/AudioDataStamped", ' +
          '"foxglove_msgs/msg/RawAudio"',
      );
  }
}

/** Formats of `audio_common_msgs/msg/AudioInfo`, as GStreamer names them. */
const SAMPLE_FORMATS: Readonly<Record<string, AudioTrack['format']>> = { S16LE: 's16le', F32LE: 'f32le' };

/**
 * Holds what `audio_capture` says of its stream against the contract.
 *
 * @param info `audio_common_msgs/msg/AudioInfo`.
 * @throws {RangeError} when they differ, or the stream is compressed.
 */
export function checkInfo(info: MessageValue, track: AudioTrack): void {
  const { channels, sample_rate, sample_format, coding_format } = info;
  if (coding_format !== 'wave') throw compressed(String(coding_format));
  checkDeclared(track, {
    ...{ sampleRateHz: sample_rate, channels },
    format: SAMPLE_FORMATS[String(sample_format)] ?? sample_format,
  });
}

function checkDeclared(track: AudioTrack, said: Readonly<Record<keyof typeof DECLARED, unknown>>): void {
  for (const key of Object.keys(DECLARED) as (keyof typeof DECLARED)[]) {
    if (said[key] !== track[key]) {
      throw new RangeError(
        `the recording says ${DECLARED[key]} "${said[key]}", the contract "${track[key]}"`,
      );
    }
  }
}

const DECLARED = { sampleRateHz: 'sample rate', channels: 'channels', format: 'format' } as const;

/** How files and streams of compressed sound begin. */
const CODINGS: readonly (readonly [string, string])[] = [
  ['OggS', 'Ogg'],
  ['fLaC', 'FLAC'],
  ['ID3', 'MP3'],
  ['RIFF', 'WAV'],
];

/**
 * Finds compressed sound where no `AudioInfo` tells.
 *
 * @param starts the first bytes of a few messages.
 * @throws {RangeError} when it is that.
 */
export function checkUncompressed(starts: readonly Uint8Array[]): void {
  const first = Buffer.from(starts[0] ?? []).toString('latin1');
  const coding = CODINGS.find(([magic]) => first.startsWith(magic))?.[1];
  if (coding !== undefined) throw compressed(coding);
  if (starts.length > 0 && starts.every(isMpegFrame)) throw compressed('MP3 or AAC');
}

/** Sync word, and no value that the standard forbids (ISO 11172-3, 2.4.1.3; ADTS has layer 0). Silence fails. */
function isMpegFrame([a = 0, b = 0, c = 0]: Uint8Array): boolean {
  return a === 0xff && (b & 0xe0) === 0xe0 && (b & 0x18) !== 0x08 && c >> 4 !== 0xf && (c & 0x0c) !== 0x0c;
}

function compressed(coding: string): RangeError {
  return new RangeError(
    `its sound is compressed as "${coding}"; record it as PCM: "format: wave" of audio_capture`,
  );
}
