import { type FileHandle, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { ManifestEpisode } from '../../schemas/dataset-manifest.ts';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import type { AudioRecord } from '../audio/audio-track.ts';
import { PreparedAudio } from '../audio/prepared-audio.ts';
import type { UnusablePictures } from '../episode-frames.ts';
import { type EpisodeNumbers, storedElements } from '../episode-numbers.ts';
import type { VideoFacts } from '../video-facts.ts';
import { PictureLevels } from './picture-levels.ts';
import type { TrackRecord } from './picture-track.ts';
import { unpackBytes } from './pixel-codec.ts';

/** What a dataset's manifest says of an episode before it has a place in the dataset. */
export interface EpisodeFacts extends Omit<ManifestEpisode, 'index' | 'split' | 'audio'> {
  /** Id of the recording, of which it may be a stretch. */
  readonly recordingId: string;
  /** Absent for recordings of other programs. */
  readonly info: EpisodeInfo | undefined;
  /** Log time of the first message. */
  readonly recordingTime: bigint;
  /** Messages, by stream, that came too late for the frames they belong to. */
  readonly late: ReadonlyMap<string, number>;
  /** Messages of video, by stream, whose picture is in no frame, and why. */
  readonly unusable: ReadonlyMap<string, UnusablePictures>;
  /** Of the contract's microphones, in its order. */
  readonly audio?: readonly AudioRecord[];
}

interface StoredEpisode {
  /** Files of the features that are too large for memory. */
  readonly elements: readonly { readonly file: string; readonly bytes: number }[];
  readonly facts: EpisodeFacts;
  readonly tracks: readonly TrackRecord[];
}

/** Bytes on disk, of which the number is known. */
export interface StoredBytes {
  readonly byteLength: number;
  read(): Promise<Uint8Array>;
}

const NUMBERS_FILE = 'numbers.v8';
/** Written last. */
const RECORD_FILE = 'episode.v8';

/** Where the sound of a prepared episode's microphones lies. */
export function audioFile(directory: string, microphone: number): string {
  return join(directory, `audio-${microphone}.wav`);
}

/** Completes the folder of a prepared episode whose pictures are all written. */
export async function writePrepared(
  directory: string,
  { numbers, ...episode }: Omit<StoredEpisode, 'elements'> & { readonly numbers: EpisodeNumbers },
): Promise<void> {
  await writeFile(join(directory, NUMBERS_FILE), serialize(numbers));
  await writeFile(
    join(directory, RECORD_FILE),
    serialize({ ...episode, elements: storedElements(numbers) } satisfies StoredEpisode),
  );
}

/** The episodes that were prepared of one recording; undefined where they are not there or not whole. */
export async function openPrepared(directory: string): Promise<readonly PreparedEpisode[] | undefined> {
  const numbers = await readdir(directory).catch(() => []);
  const episodes = await Promise.all(numbers.map((_, i) => PreparedEpisode.open(join(directory, String(i)))));
  const whole = episodes.filter((episode) => episode !== undefined);
  return whole.length > 0 && whole.length === numbers.length ? whole : undefined;
}

/**
 * An episode that was read, aligned, decoded and compressed: all that any writer needs of it, whatever the
 * format. Numbers and pictures are on disk until they are asked for.
 */
export class PreparedEpisode implements AsyncDisposable {
  readonly facts: EpisodeFacts;
  /** Its sound, by microphone in the order of the contract. */
  readonly audio: readonly PreparedAudio[];
  readonly #directory: string;
  readonly #tracks: readonly TrackRecord[];
  readonly #handles = new Map<TrackRecord, Promise<FileHandle>>();

  private constructor(directory: string, { facts, tracks }: StoredEpisode) {
    this.#directory = directory;
    this.facts = facts;
    this.audio = (facts.audio ?? []).map((record, i) => new PreparedAudio(audioFile(directory, i), record));
    this.#tracks = tracks;
  }

  /** @returns undefined where there is none, or one whose files do not have the size they were written with. */
  static async open(directory: string): Promise<PreparedEpisode | undefined> {
    try {
      const stored: StoredEpisode = deserialize(await readFile(join(directory, RECORD_FILE)));
      for (const { file, bytes } of [...stored.tracks, ...stored.elements]) {
        if ((await stat(join(directory, file))).size !== bytes) return undefined;
      }
      const episode = new PreparedEpisode(directory, stored);
      for (const audio of episode.audio) if (!(await audio.isWhole())) return undefined;
      return episode;
    } catch {
      // Absent, or cut off by a loss of power: it is made again.
      return undefined;
    }
  }

  async numbers(): Promise<EpisodeNumbers> {
    const numbers: EpisodeNumbers = deserialize(await readFile(join(this.#directory, NUMBERS_FILE)));
    // It was written under another name.
    return { ...numbers, directory: this.#directory };
  }

  /** The picture of a frame in a form whose pictures are compressed one by one; read when it is asked for. */
  picture(key: string, form: string, frame: number): StoredBytes {
    const track = this.#track(key, form);
    const [offset, size] = [track.offsets?.[frame], track.sizes?.[frame]];
    if (offset === undefined || !size) {
      throw new RangeError(`episode "${this.facts.id}" has no picture "${key}" of frame ${frame} as ${form}`);
    }
    return { byteLength: size, read: () => this.#read(track, { offset, size }) };
  }

  /** [height, width, 3] uint8 RGB, row-major. */
  async pixels(key: string, frame: number): Promise<Uint8Array> {
    return await unpackBytes(await this.picture(key, 'pixels', frame).read());
  }

  /** The mp4 file of a camera. */
  video(key: string, form: string): string {
    return join(this.#directory, this.#track(key, form).file);
  }

  /** What there is to say of that file. */
  videoFacts(key: string, form: string): VideoFacts {
    return this.#track(key, form).facts!;
  }

  /** Of the valid pictures of a camera, where they are video: of all, or of some where it was copied. */
  levels(key: string, form: string): PictureLevels {
    const { counts, frames } = this.#track(key, form).levels!;
    return new PictureLevels(counts, frames);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await (await handle).close();
    this.#handles.clear();
    for (const audio of this.audio) await audio[Symbol.asyncDispose]();
  }

  async #read(
    track: TrackRecord,
    { offset, size }: { readonly offset: number; readonly size: number },
  ): Promise<Uint8Array> {
    let handle = this.#handles.get(track);
    if (!handle) {
      handle = open(join(this.#directory, track.file));
      this.#handles.set(track, handle);
    }
    const bytes = new Uint8Array(size);
    await (await handle).read(bytes, 0, size, offset);
    return bytes;
  }

  #track(key: string, form: string): TrackRecord {
    const track = this.#tracks.find((each) => each.key === key && each.form === form);
    if (track) return track;
    throw new RangeError(`episode "${this.facts.id}" has no pictures "${key}" as ${form}`);
  }
}
