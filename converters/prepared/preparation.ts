import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { type EpisodeNumbers, NumbersBuilder } from '../episode-numbers.ts';
import type { Frame, ImageValue } from '../frame.ts';
import { imageFeatures } from '../frame-columns.ts';
import type { VideoPlan } from '../video-survey.ts';
import { formName, makingName, type PictureForm } from './picture-form.ts';
import { openTrack, type PictureTrack, type PictureUse, type TrackRecord } from './picture-track.ts';
import { PictureUses } from './picture-uses.ts';
import { type EpisodeFacts, writePrepared } from './prepared-episode.ts';

interface OpenTrack extends Pick<TrackRecord, 'key' | 'file'> {
  /** Names of the forms that it makes. */
  readonly forms: readonly string[];
  readonly track: PictureTrack;
}

export interface PreparationOptions {
  /** Told of each picture's pixels when nothing looks at them any more. @default left to the collector */
  readonly onUnused?: (pixels: Uint8Array) => void;
  /** Cores that encoders keep busy. @default all */
  readonly cores?: number | undefined;
  /** What becomes of the cameras that were recorded as video, by feature. @default there is none */
  readonly videos?: ReadonlyMap<string, VideoPlan>;
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
    this.#numbers = new NumbersBuilder(contract, directory);
  }

  /** @param directory empty. */
  static async begin(
    directory: string,
    contract: Contract,
    { forms, videos, cores, ...options }: PreparationOptions & { readonly forms: readonly PictureForm[] },
  ): Promise<Preparation> {
    const tracks: OpenTrack[] = [];
    const cameras = imageFeatures(contract);
    const threads = cores && Math.max(1, Math.floor(cores / cameras.length));
    for (const [i, [key, feature]] of cameras.entries()) {
      const plan = videos?.get(key);
      for (const [name, made] of Map.groupBy(forms, (form) => makingName(form, plan))) {
        const form = made[0]!;
        const file = `${i}-${name}.${form.kind === 'video' ? 'mp4' : 'bin'}`;
        const { samples } = contract;
        const options = { file: join(directory, file), key, feature, samples, plan, threads };
        tracks.push({ key, forms: made.map(formName), file, track: await openTrack(form, options) });
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
    // An encoder still has a second of pictures before it when it learns that they were the last.
    const finishing = this.#tracks.map(async ({ track, forms, ...record }): Promise<TrackRecord[]> => {
      const made = await track.finish();
      return forms.map((form) => ({ ...record, form, ...made }));
    });
    await Promise.allSettled(finishing);
    const tracks = (await Promise.all(finishing)).flat();
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
