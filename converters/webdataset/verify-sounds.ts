import { join } from 'node:path';
import type { DatasetManifest } from '../../schemas/dataset-manifest.ts';
import { PreparedAudio, wavPath } from '../audio/prepared-audio.ts';
import { type DatasetIndex, heardRange } from './layout.ts';
import type { SampleRecord } from './sample-codec.ts';
import type { TarMember } from './tar.ts';

/** Holds the sound of windows against that of their whole episodes, which lies beside the shards. */
export class WindowSounds implements AsyncDisposable {
  readonly #directory: string;
  readonly #manifest: DatasetManifest;
  readonly #index: DatasetIndex;
  /** Of the episode that was asked for last. */
  #open: { readonly episode: string; readonly audio: readonly PreparedAudio[] } | undefined;

  constructor(directory: string, { manifest, index }: { manifest: DatasetManifest; index: DatasetIndex }) {
    this.#directory = directory;
    this.#manifest = manifest;
    this.#index = index;
  }

  /** @param members every one that the index names among them. */
  async faults(
    { provenance: { episode, frame }, silences = {} }: SampleRecord,
    members: readonly TarMember[],
  ): Promise<string[]> {
    const faults: string[] = [];
    const audio = await this.#of(episode);
    for (const { name, member } of this.#index.audio ?? []) {
      const whole = audio.find(({ record }) => record.name === name);
      if (!whole) {
        faults.push(`the manifest says nothing of the sound "${name}" of episode "${episode}"`);
        continue;
      }
      const range = heardRange(frame, whole.record.track, this.#index);
      if (!Buffer.from(members.find((each) => each.name === member)!.data).equals(await whole.slice(range))) {
        faults.push(`${member} is not samples ${range.from} to ${range.to} of the whole episode`);
      }
      const said = `${new BigInt64Array(Uint8Array.from(silences[name]?.data ?? []).buffer)}`;
      const expected = `${whole.silencesIn(range).flatMap(({ from, to }) => [from, to])}`;
      if (said !== expected) faults.push(`${member} is silent at ${expected}, the sample says ${said}`);
    }
    return faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#open?.audio ?? []) await each[Symbol.asyncDispose]();
    this.#open = undefined;
  }

  async #of(id: string): Promise<readonly PreparedAudio[]> {
    if (this.#open?.episode === id) return this.#open.audio;
    await this[Symbol.asyncDispose]();
    const episode = this.#manifest.episodes.find((each) => each.id === id);
    const audio = (this.#index.audio ?? []).flatMap((track) => {
      const said = episode?.audio?.find(({ name }) => name === track.name);
      if (!episode || !said) return [];
      return [
        new PreparedAudio(join(this.#directory, wavPath(track.name, episode.index)), { ...said, track }),
      ];
    });
    this.#open = { episode: id, audio };
    return audio;
  }
}
