import { copyFile, type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sampleBytes } from '../../schemas/contract-audio.ts';
import type { AudioRecord, SampleRange } from './audio-track.ts';
import { wavHeader } from './wav.ts';

/** Where a dataset has the sound of an episode, whatever its format. */
export function wavPath(name: string, episode: number): string {
  return `audio/${name}/episode_${String(episode).padStart(6, '0')}.wav`;
}

/** The WAV file of one microphone of an episode that is being written to datasets. */
export class PreparedAudio implements AsyncDisposable {
  readonly record: AudioRecord;
  readonly #file: string;
  #handle: Promise<FileHandle> | undefined;

  constructor(file: string, record: AudioRecord) {
    this.#file = file;
    this.record = record;
  }

  /** Whether its file has the size that it was written with. */
  async isWhole(): Promise<boolean> {
    const { track, samples } = this.record;
    const bytes = samples * sampleBytes(track);
    return (await stat(this.#file)).size === wavHeader(track, bytes).byteLength + bytes;
  }

  /** Copies it into a dataset. */
  async copyTo(directory: string, episode: number): Promise<void> {
    const path = join(directory, wavPath(this.record.name, episode));
    await mkdir(dirname(path), { recursive: true });
    await copyFile(this.#file, path);
  }

  /** A part as a WAV file of its own, silence before and behind the episode. */
  async slice({ from, to }: SampleRange): Promise<Uint8Array> {
    const { track, samples } = this.record;
    const bytes = sampleBytes(track);
    const header = wavHeader(track, (to - from) * bytes);
    const wav = new Uint8Array(header.byteLength + (to - from) * bytes);
    wav.set(header);
    const [first, end] = [Math.max(from, 0), Math.min(to, samples)];
    if (first >= end) return wav;
    this.#handle ??= open(this.#file);
    const at = header.byteLength; // of a part as of the whole
    await (await this.#handle).read(
      wav,
      at + (first - from) * bytes,
      (end - first) * bytes,
      at + first * bytes,
    );
    return wav;
  }

  /** What of a part is silence because it was not recorded, or lies outside the episode, counted from its start. */
  silencesIn({ from, to }: SampleRange): readonly SampleRange[] {
    const { samples, silences } = this.record;
    const before = { from: Number.NEGATIVE_INFINITY, to: 0 };
    const after = { from: samples, to: Number.POSITIVE_INFINITY };
    return [before, ...silences, after]
      .map((each) => ({ from: Math.max(each.from, from) - from, to: Math.min(each.to, to) - from }))
      .filter((each) => each.from < each.to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#handle)?.close();
    this.#handle = undefined;
  }
}
