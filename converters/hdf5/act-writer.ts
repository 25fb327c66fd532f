import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeToWrite } from '../dataset-writer.ts';
import { imageFeatures, refuseText } from '../frame-columns.ts';
import { isAction, plainNames } from '../plain-names.ts';
import {
  actionColumn,
  type EpisodeLayout,
  episodeLayout,
  neverColumn,
  unknownColumn,
  writeEpisode,
} from './episode-layout.ts';
import { Hdf5Thread } from './hdf5-thread.ts';

export function actFile(episode: number): string {
  return `episode_${episode}.hdf5`;
}

/** How ACT names two observations; all others keep their short names. */
const ACT_NAMES: Readonly<Record<string, string>> = { state: 'qpos', velocity: 'qvel' };

/**
 * Writes a file per episode as ACT and ALOHA read them: `observation.state` as `/observations/qpos`,
 * `observation.velocity` as `/observations/qvel`, every camera below `/observations/images`, in whatever
 * number of joints the contract has; ACT itself is set to 14.
 *
 * ACT stacks the episodes, so all must have one length: shorter ones are padded to the longest with their last
 * frame. Padded rows are marked in `/is_pad`, none of their values is valid, and `num_steps` says where they
 * begin. A robot without velocities gets NaN for them, marked invalid: ACT reads but does not use them.
 */
export class ActWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #layout: EpisodeLayout;
  readonly #thread = new Hdf5Thread();
  readonly #lengths: number[] = [];

  /** @throws {ConvertError} when the contract lacks what ACT's loader reads. */
  constructor(target: DatasetTarget) {
    this.#target = target;
    this.#layout = actLayout(target.contract);
  }

  async addEpisode(episode: EpisodeToWrite): Promise<void> {
    const { header, numbers } = episode;
    const { id, digest, task } = header;
    const file = await this.#thread.create(this.#fileOf(header.index));
    await writeEpisode(file, episode, { group: '', layout: this.#layout });
    const { contract, contractDigest, version } = this.#target;
    // For a real robot ACT's loader takes the action of the step before, to make up for the delay of its own
    // recording. Here actions are aligned with what was seen, which is what the flag tells it.
    await file.setAttribute('', 'sim', 1);
    await file.setAttribute('', 'num_steps', numbers.frames);
    const source = {
      episode_id: id,
      recording: digest,
      task,
      ...(header.split !== undefined && { split: header.split }),
      version,
      contract: { name: contract.name, digest: contractDigest },
      tick_rate_hz: contract.samples.tickRateHz,
    };
    await file.setAttribute('', 'kinescribe', JSON.stringify(source));
    await file.close();
    this.#lengths.push(numbers.frames);
  }

  async finish(): Promise<number> {
    if (this.#lengths.length === 0) throw new ConvertError('Cannot write ACT: there is no episode.');
    const longest = this.#lengths.reduce((most, length) => Math.max(most, length));
    for (const [index, length] of this.#lengths.entries()) {
      if (length < longest) await this.#pad(this.#fileOf(index), longest);
    }
    await this.#thread.end();
    return this.#lengths.reduce((sum, length) => sum + length, 0);
  }

  abort(): Promise<void> {
    return this.#thread.end();
  }

  async #pad(path: string, rows: number): Promise<void> {
    const file = await this.#thread.change(path);
    for (const { path: dataset } of [...this.#layout.columns, ...this.#layout.pictures]) {
      await file.extend(dataset, rows, paddingOf(dataset));
    }
    await file.close();
  }

  #fileOf(index: number): string {
    return join(this.#target.directory, actFile(index));
  }
}

/** What a padded row holds; absent: what the last one holds. */
function paddingOf(dataset: string): number | undefined {
  if (dataset === 'is_pad') return 1;
  if (dataset.startsWith('valid/')) return 0;
  return dataset.startsWith('age/') ? Number.NaN : undefined;
}

/** Where everything lies in an episode's file. @throws {ConvertError} when the contract lacks what ACT reads. */
export function actLayout(contract: Contract): EpisodeLayout {
  refuseText(contract, 'ACT');
  const plain = plainNames(contract, { format: 'ACT', taken: ['images'] });
  const names = new Map([...plain].map(([key, name]) => [key, ACT_NAMES[name] ?? name]));
  if (new Set(names.values()).size < names.size) {
    throw new ConvertError(
      'Cannot write ACT: "state" and "qpos", or "velocity" and "qvel", are one to it. Name one of the features ' +
        'otherwise in the contract.',
    );
  }
  const paths = {
    value: (name: string, key: string) => (isAction(key) ? `actions/${name}` : `observations/${name}`),
    picture: (name: string) => `observations/images/${name}`,
  };
  const { columns, pictures } = episodeLayout(contract, { names, paths });
  const state = columns.find(({ path }) => path === 'observations/qpos')?.column;
  if (state?.shape.length !== 1) {
    throw new ConvertError(
      'Cannot write ACT: its loader needs /observations/qpos, but the contract has no feature ' +
        '"observation.state" of one dimension. Add it.',
    );
  }
  const sizes = new Set(imageFeatures(contract).map(([, { width, height }]) => `${width} × ${height}`));
  if (sizes.size === 0) {
    throw new ConvertError(
      'Cannot write ACT: its policy sees pictures, but the contract has no image feature. Add one.',
    );
  }
  if (sizes.size > 1) {
    throw new ConvertError(
      `Cannot write ACT: it stacks the pictures of all cameras, but theirs are ${[...sizes].join(' and ')}. ` +
        'Give all image features of the contract one width and height.',
    );
  }
  const action = actionColumn(contract, 'ACT');
  const isPart = ({ path }: { path: string }) => path.startsWith('actions/');
  return {
    columns: [
      { path: 'action', column: action },
      ...columns.filter((each) => action.parts > 1 || !isPart(each)),
      ...(columns.some(({ path }) => path === 'observations/qvel') ? [] : unknownVelocity(state.shape)),
      { path: 'is_pad', column: neverColumn },
    ],
    pictures,
  };
}

function unknownVelocity(shape: readonly number[]): EpisodeLayout['columns'] {
  return [
    { path: 'observations/qvel', column: unknownColumn(shape) },
    { path: 'age/qvel', column: unknownColumn([]) },
    { path: 'valid/qvel', column: neverColumn },
  ];
}
