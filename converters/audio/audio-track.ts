import { open } from 'node:fs/promises';
import type { Contract } from '../../schemas/contract.ts';
import { type AudioTrack, sampleBytes } from '../../schemas/contract-audio.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { Message } from '../../schemas/message.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import { planStreams, type StreamPlan } from '../stream-plan.ts';
import { checkInfo, checkUncompressed, pcmOf } from './pcm.ts';
import { type Chunk, type PlacedChunk, placeChunks } from './placement.ts';
import { wavHeader } from './wav.ts';

/** Samples, half-open, counted from the first tick. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

/** What a microphone gives of one episode. */
export interface AudioRecord {
  readonly name: string;
  readonly track: Pick<AudioTrack, 'sampleRateHz' | 'channels' | 'format'>;
  /** From the first tick on; the episode lasts as long as its frames. */
  readonly samples: number;
  /** What was not recorded: silence stands there. */
  readonly silences: readonly SampleRange[];
  /** How far the stamps moved away from the sample clock; they are not followed. */
  readonly driftSecs: number;
}

interface Microphone {
  readonly name: string;
  readonly track: AudioTrack;
  readonly stream: StreamPlan;
}

/** A track that is not yet written. */
export interface AudioPlan {
  readonly record: AudioRecord;
  readonly microphone: Microphone;
  /** One per message of the stream, in order. */
  readonly chunks: readonly PlacedChunk[];
}

/** The place of a frame's tick among the samples. */
export function sampleAt(
  frame: number,
  { sampleRateHz }: Pick<AudioTrack, 'sampleRateHz'>,
  tickRateHz: number,
): number {
  return Math.round((frame * sampleRateHz) / tickRateHz);
}

/** An episode on the ticks of its frames. */
export interface EpisodeTicks {
  /** Of the first frame, on the contract's clock. */
  readonly startTime: bigint;
  readonly frames: number;
}

/**
 * Finds where the samples of every microphone lie on the episode's clock: sample 0 is heard at the first tick.
 *
 * @throws {ConvertError} when a recording does not hold what the contract declares.
 */
export async function planAudio(
  reader: EpisodeReader,
  contract: Contract,
  ticks: EpisodeTicks,
): Promise<readonly AudioPlan[]> {
  const tracks = Object.entries(contract.audio ?? {});
  if (tracks.length === 0) return [];
  const names = new Set(tracks.map(([, { stream }]) => stream));
  const streams = await planStreams(reader, contract, names);
  const plans: AudioPlan[] = [];
  for (const [name, track] of tracks) {
    const stream = streams.find((each) => each.name === track.stream)!;
    const microphone = { name, track, stream };
    await checkAudioInfo(reader, microphone);
    plans.push(
      await planMicrophone(reader, microphone, { ...ticks, tickRateHz: contract.samples.tickRateHz }),
    );
  }
  return plans;
}

/** Messages whose first bytes tell whether the sound is compressed. */
const FIRST_MESSAGES = 4;

async function planMicrophone(
  reader: EpisodeReader,
  microphone: Microphone,
  { startTime, frames, tickRateHz }: EpisodeTicks & { readonly tickRateHz: number },
): Promise<AudioPlan> {
  const { name, track, stream } = microphone;
  const chunks: Chunk[] = [];
  const starts: Uint8Array[] = [];
  for await (const { message, pcm } of messagesOf(reader, microphone)) {
    const samples = pcm.byteLength / sampleBytes(track);
    const time = stream.channels.get(message.channel.id)!.timeOf(message);
    const nanos = time === undefined ? undefined : Number(time - startTime);
    const lasted = track.stamped === 'end' ? (samples * 1e9) / track.sampleRateHz : 0;
    chunks.push({ nanos: nanos === undefined ? undefined : nanos - lasted, samples });
    if (starts.length < FIRST_MESSAGES) starts.push(pcm.slice(0, 4));
  }
  refused(reader, microphone, () => checkUncompressed(starts));
  const placement = placeChunks(chunks, track.sampleRateHz);
  const { driftSecs } = placement;
  const samples = sampleAt(frames, track, tickRateHz);
  const silences = silencesIn(placement.chunks, samples);
  return {
    microphone,
    chunks: placement.chunks,
    record: { name, track, samples, silences, driftSecs },
  };
}

/** What no chunk covers of the first samples. */
function silencesIn(chunks: readonly PlacedChunk[], count: number): SampleRange[] {
  const silences: SampleRange[] = [];
  let heard = 0;
  for (const { at, samples } of chunks) {
    if (samples === 0) continue;
    if (at > heard && heard < count) silences.push({ from: heard, to: Math.min(at, count) });
    heard = Math.max(heard, at + samples);
  }
  if (heard < count) silences.push({ from: heard, to: count });
  return silences;
}

async function* messagesOf(
  reader: EpisodeReader,
  microphone: Microphone,
): AsyncGenerator<{ readonly message: Message; readonly pcm: Uint8Array }> {
  const { track, stream } = microphone;
  for await (const message of reader.messages({ topics: [stream.stream.topic] })) {
    const { decode, type } = stream.channels.get(message.channel.id)!;
    const pcm = refused(reader, microphone, () => pcmOf(decode!(message.data), type, track));
    yield { message, pcm };
  }
}

/** `audio_capture` says beside its stream what that is, on "audio_info" of the same namespace. */
async function checkAudioInfo(reader: EpisodeReader, microphone: Microphone): Promise<void> {
  const folder = (topic: string) => topic.slice(0, topic.lastIndexOf('/'));
  const channel = [...reader.channels.values()].find(
    ({ topic, schema }) =>
      schema?.name.replace('/msg/', '/') === 'audio_common_msgs/AudioInfo' &&
      folder(topic) === folder(microphone.stream.stream.topic),
  );
  if (!channel) return;
  const decode = createDecoder(channel);
  for await (const { data } of reader.messages({ topics: [channel.topic] })) {
    refused(reader, microphone, () => checkInfo(decode(data), microphone.track));
  }
}

function refused<T>(reader: EpisodeReader, { name, stream }: Microphone, take: () => T): T {
  try {
    return take();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ConvertError(
      `Cannot make track "${name}" of "${reader.file}": what is on "${stream.stream.topic}" is not the sound that the ` +
        `contract declares: ${cause.message}.`,
      { cause, contractPath: ['audio', name] },
    );
  }
}

/**
 * Writes the WAV file of an episode, silence where nothing was recorded. Holds one message at a time.
 *
 * @param file does not exist.
 */
export async function writeAudio(
  file: string,
  reader: EpisodeReader,
  { record, microphone, chunks }: AudioPlan,
): Promise<void> {
  const { track, samples } = record;
  const bytes = sampleBytes(track);
  const header = wavHeader(track, samples * bytes);
  await using handle = await open(file, 'wx');
  await handle.write(header);
  await handle.truncate(header.byteLength + samples * bytes);
  let index = 0;
  for await (const { pcm } of messagesOf(reader, microphone)) {
    const { at, skipped, samples: count } = chunks[index++]!;
    const [from, to] = [Math.max(at, 0), Math.min(at + count, samples)];
    if (from >= to) continue;
    const start = (skipped + from - at) * bytes;
    await handle.write(pcm, start, (to - from) * bytes, header.byteLength + from * bytes);
  }
}
