import { z } from './validation.ts';

/** What the contract says of one microphone: a track beside the frames, not a value of each of them. */
export const audioTrack = z
  .strictObject({
    stream: z
      .string()
      .describe(
        'Name of a stream of audio_common_msgs/msg/AudioData, AudioDataStamped or foxglove_msgs/msg/RawAudio.',
      ),
    sampleRateHz: z.int().positive().describe('Samples per second of each channel, as recorded.'),
    channels: z.int().min(1).max(64).default(1).describe('Channels, as recorded, interleaved.'),
    format: z
      .enum(['s16le', 'f32le'])
      .default('s16le')
      .describe('What the samples are: little-endian integers of 16 bits, or floats of 32 bits.'),
    stamped: z
      .enum(['start', 'end'])
      .default('start')
      .describe('Whether the instant of a message is that of its first sample, or that after its last.'),
  })
  .describe('A microphone that goes beside the frames as a WAV file per episode.');

export type AudioTrack = Readonly<z.infer<typeof audioTrack>>;
export type AudioFormat = AudioTrack['format'];

/** Bytes of one sample of one channel. */
export const SAMPLE_BYTES: Readonly<Record<AudioFormat, number>> = { s16le: 2, f32le: 4 };

/** Bytes of one sample of all channels. */
export function sampleBytes({ format, channels }: Pick<AudioTrack, 'format' | 'channels'>): number {
  return SAMPLE_BYTES[format] * channels;
}
