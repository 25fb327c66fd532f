import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { type EpisodeNumbers, NumbersBuilder } from '../episode-numbers.ts';
import type { Frame, ImageValue } from '../frame.ts';
import { imageFeatures } from '../frame-columns.ts';
import { formName, type PictureForm } from './picture-form.ts';
import { openTrack, type PictureTrack, type PictureUse, type TrackRecord } from './picture-track.ts';
import { PictureUses } from './picture-uses.ts';
import { type EpisodeFacts, writePrepared } from './prepared-episode.ts';

interface OpenTrack extends Pick<TrackRecord, 'key' | 'form' | 'file'> {
  readonly track: PictureTrack;
}

export interface PreparationOptions {
  /** Told of each picture's pixels when nothing looks at them any more. @default left to the collector */
  readonly onUnused?: (pixels: Uint8Array) => void;
}

/** An episode that is being prepared: its frames in, the files of a prepared episode out. */
export class Preparation {
  readonly #directory: string;
  readonly #tracks: readonly OpenTrack[];
  readonly #numbers: NumbersBuilder;
  /** By feature. */
  readonly #uses: ReadonlyMap<string, PictureUses>;

  private constructor(
    directory: string,
    contract: Contract,
    { tracks, onUnused = () => {} }: PreparationOptions & { readonly tracks: readonly OpenTrack[] },
  ) {
    this.#directory = directory;
    this.#tracks = tracks;
    this.#uses = new Map(imageFeatures(contract).map(([key]) => [key, new PictureUses(onUnused)]));
    this.#numbers = new NumbersBuilder(contract);
  }

  /** @param directory empty. */
  static async begin(
    directory: string,
    contract: Contract,
    { forms, ...options }: PreparationOptions & { readonly forms: readonly PictureForm[] },
  ): Promise<Preparation> {
    const tracks: OpenTrack[] = [];
    for (const [i, [key, feature]] of imageFeatures(contract).entries()) {
      for (const form of forms) {
        const [name, ending] = [formName(form), form.kind === 'video' ? 'mp4' : 'bin'];
        const file = `${i}-${name}.${ending}`;
        const track = await openTrack(form, {
          file: join(directory, file),
          ...{ key, feature, samples: contract.samples },
        });
        tracks.push({ key, form: name, file, track });
      }
    }
    return new Preparation(directory, contract, { ...options, tracks });
  }

  async add(frame: Frame): Promise<void> {
    this.#numbers.add(frame);
    const adding = this.#tracks.map(async ({ key, track }): Promise<[string, PictureUse]> => {
      return [key, await track.add(pictureOf(frame, key))];
    });
    // Nobody is aborted in the middle of a call.
    await Promise.allSettled(adding);
    const uses = Map.groupBy(await Promise.all(adding), ([key]) => key);
    for (const [key, ofPicture] of this.#uses) {
      ofPicture.add(
        pictureOf(frame, key).pixels,
        (uses.get(key) ?? []).map(([, use]) => use),
      );
    }
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

function pictureOf(frame: Frame, key: string): ImageValue {
  const value = frame.values.get(key);
  if (value?.kind !== 'image') throw new TypeError(`frame ${frame.index} has no picture "${key}"`);
  return value;
}
