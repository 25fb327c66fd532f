import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import type { DatasetFormat, DatasetWriter, EpisodeHeader } from '../dataset-writer.ts';
import type { Frame } from '../frame.ts';
import { imageFeatures } from '../frame-columns.ts';
import type { PictureForm } from './picture-form.ts';
import { Preparation } from './preparation.ts';
import { PreparedEpisode } from './prepared-episode.ts';

const root = mkdtempSync(join(tmpdir(), 'prepared-'));
process.on('exit', () => rmSync(root, { recursive: true }));
let episodes = 0;

export interface FramesToPrepare {
  readonly contract: Contract;
  readonly forms: readonly PictureForm[];
  readonly header: EpisodeHeader;
  readonly frames: readonly Frame[];
}

/** An episode made of frames, prepared as one made of a recording is. */
export async function prepareFrames({
  contract,
  forms,
  header,
  frames,
}: FramesToPrepare): Promise<PreparedEpisode> {
  const directory = join(root, String(episodes++));
  await mkdir(directory);
  const hasPictures = imageFeatures(contract).length > 0;
  const preparation = await Preparation.begin(directory, contract, { forms: hasPictures ? forms : [] });
  for (const frame of frames) await preparation.add(frame);
  await preparation.finish(({ tickTimes }) => ({
    ...header,
    recordingId: header.id,
    file: `${header.id}.mcap`,
    info: undefined,
    recordingTime: tickTimes[0]!,
    frames: frames.length,
    ...{ trimmedStart: 0, trimmedEnd: 0, clocks: [], late: new Map(), unusable: new Map() },
    startTime: String(tickTimes[0]),
    endTime: String(tickTimes.at(-1)),
  }));
  const episode = await PreparedEpisode.open(directory);
  if (!episode) throw new TypeError('the episode was not prepared');
  return episode;
}

export interface FramesToAdd extends Omit<FramesToPrepare, 'forms'> {
  readonly format: Pick<DatasetFormat, 'pictureForm'>;
}

/** Gives a writer an episode made of frames. */
export async function addFrames(
  writer: DatasetWriter,
  { contract, format, ...rest }: FramesToAdd,
): Promise<void> {
  const forms = imageFeatures(contract).length > 0 ? [await format.pictureForm()] : [];
  await using episode = await prepareFrames({ contract, forms, ...rest });
  await writer.addEpisode({ header: rest.header, numbers: await episode.numbers(), pictures: episode });
}
