import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeToWrite } from '../dataset-writer.ts';
import { refuseText } from '../frame-columns.ts';
import { isAction, plainNames } from '../plain-names.ts';
import {
  actionColumn,
  doneColumn,
  type EpisodeLayout,
  episodeLayout,
  unknownColumn,
  writeEpisode,
} from './episode-layout.ts';
import { type Hdf5File, Hdf5Thread } from './hdf5-thread.ts';

export const ROBOMIMIC_FILE = 'demos.hdf5';

interface OpenedFile {
  readonly thread: Hdf5Thread;
  readonly file: Hdf5File;
  readonly layout: EpisodeLayout;
}

/** robomimic's number for environments that are made by name (`EnvType.GYM_TYPE`). */
const GYM_TYPE = 2;

/**
 * Writes the one file that robomimic reads, a group per episode. Its loader asks for `rewards`: those of an
 * outcome feature, or NaN where the contract has none. There is no `next_obs`, which would double the pictures: train with
 * `hdf5_load_next_obs=False`, as behaviour cloning does. Splits are filter keys, `mask/<split>`.
 */
export class RobomimicWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #thread: Hdf5Thread;
  readonly #file: Hdf5File;
  readonly #layout: EpisodeLayout;
  /** Demos of each split, where the contract asks for splits. */
  readonly #splits = new Map<string, string[]>();
  #frames = 0;

  private constructor(target: DatasetTarget, { thread, file, layout }: OpenedFile) {
    this.#target = target;
    this.#thread = thread;
    this.#file = file;
    this.#layout = layout;
  }

  /** @throws {ConvertError} when the contract cannot become demonstrations of robomimic. */
  static async open(target: DatasetTarget): Promise<RobomimicWriter> {
    const layout = robomimicLayout(target.contract);
    const thread = new Hdf5Thread();
    const file = await thread.create(join(target.directory, ROBOMIMIC_FILE));
    return new RobomimicWriter(target, { thread, file, layout });
  }

  async addEpisode(episode: EpisodeToWrite): Promise<void> {
    const { header, numbers } = episode;
    const { index, id, digest, task } = header;
    const demo = `data/demo_${index}`;
    await writeEpisode(this.#file, episode, { group: `${demo}/`, layout: this.#layout });
    await this.#file.setAttribute(demo, 'num_samples', numbers.frames);
    // robomimic takes the instruction from "lang".
    const meta = { lang: task, episode_id: id, recording: digest };
    await this.#file.setAttribute(demo, 'ep_meta', JSON.stringify(meta));
    if (header.split !== undefined) {
      const demos = this.#splits.get(header.split) ?? [];
      this.#splits.set(header.split, [...demos, `demo_${index}`]);
    }
    this.#frames += numbers.frames;
  }

  async finish(): Promise<number> {
    if (this.#frames === 0) throw new ConvertError('Cannot write robomimic: there is no episode.');
    const { contract, contractDigest, version } = this.#target;
    const environment = { env_name: contract.robot.model, env_type: GYM_TYPE, env_kwargs: {} };
    await this.#file.setAttribute('data', 'total', this.#frames);
    await this.#file.setAttribute('data', 'env_args', JSON.stringify(environment));
    const { name, samples } = contract;
    const source = { version, contract: { name, digest: contractDigest }, tick_rate_hz: samples.tickRateHz };
    await this.#file.setAttribute('data', 'kinescribe', JSON.stringify(source));
    for (const [split, demos] of this.#splits) await this.#file.writeTexts(`mask/${split}`, demos);
    await this.#file.close();
    await this.#thread.end();
    return this.#frames;
  }

  abort(): Promise<void> {
    return this.#thread.end();
  }
}

/** Where everything lies in a demo's group. @throws {ConvertError} when there is no action. */
export function robomimicLayout(contract: Contract): EpisodeLayout {
  refuseText(contract, 'robomimic');
  const names = plainNames(contract, { format: 'robomimic' });
  const paths = {
    value: (name: string, key: string) => {
      const feature = contract.features[key];
      // What is known at the end only is no observation: a policy would see the future.
      if (feature?.kind === 'outcome') return feature.value === 'reward' ? 'rewards' : `outcome/${name}`;
      return isAction(key) ? `action_dict/${name}` : `obs/${name}`;
    },
    picture: (name: string) => `obs/${name}`,
  };
  const { columns, pictures } = episodeLayout(contract, { names, paths });
  const action = actionColumn(contract, 'robomimic');
  const hasReward = columns.some(({ path }) => path === 'rewards');
  const kept = columns.filter(({ path }) => action.parts > 1 || !path.startsWith('action_dict/'));
  return {
    columns: [
      { path: 'actions', column: action },
      ...kept,
      ...(hasReward ? [] : [{ path: 'rewards', column: unknownColumn([]) }]),
      { path: 'dones', column: doneColumn },
    ],
    pictures,
  };
}
