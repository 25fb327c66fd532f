import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { type EpisodeNumbers, NumbersBuilder } from '../episode-numbers.ts';
import type { Frame } from '../frame.ts';
import { imageFeatures } from '../frame-columns.ts';
import { formName, type PictureForm } from './picture-form.ts';
import { openTrack, type PictureTrack, type TrackRecord } from './picture-track.ts';
import { type EpisodeFacts, writePrepared } from './prepared-episode.ts';

interface OpenTrack extends Pick<TrackRecord, 'key' | 'form' | 'file'> {
  readonly track: PictureTrack;
}

/** An episode that is being prepared: its frames in, the files of a prepared episode out. */
export class Preparation {
  readonly #directory: string;
  readonly #tracks: readonly OpenTrack[];
  readonly #numbers: NumbersBuilder;

  private constructor(directory: string, contract: Contract, tracks: readonly OpenTrack[]) {
    this.#directory = directory;
    this.#tracks = tracks;
    this.#numbers = new NumbersBuilder(contract);
  }

  /** @param directory empty. */
  static async begin(
    directory: string,
    contract: Contract,
    forms: readonly PictureForm[],
  ): Promise<Preparation> {
    const tracks: OpenTrack[] = [];
    for (const [i, [key, feature]] of imageFeatures(contract).entries()) {
      for (const form of forms) {
        const [name, ending] = [formName(form), form.kind === 'video' ? 'mp4' : 'bin'];
        const file = `${i}-${name}.${ending}`;
        const options = { file: join(directory, file), key, feature, samples: contract.samples };
        tracks.push({ key, form: name, file, track: await openTrack(form, options) });
      }
    }
    return new Preparation(directory, contract, tracks);
  }

  async add(frame: Frame): Promise<void> {
    this.#numbers.add(frame);
    const adding = this.#tracks.map(async ({ key, track }) => {
      const value = frame.values.get(key);
      if (value?.kind !== 'image') throw new TypeError(`frame ${frame.index} has no picture "${key}"`);
      await track.add(value);
    });
    // Nobody is aborted in the middle of a call.
    await Promise.allSettled(adding);
    await Promise.all(adding);
  }

  async finish(factsOf: (numbers: EpisodeNumbers) => EpisodeFacts): Promise<void> {
    const tracks: TrackRecord[] = [];
    for (const { track, ...record } of this.#tracks) tracks.push({ ...record, ...(await track.finish()) });
    const numbers = this.#numbers.build();
    await writePrepared(this.#directory, { facts: factsOf(numbers), numbers, tracks });
  }

  /** Lets go of files and processes. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#tracks.map(({ track }) => track.abort()));
  }
}
