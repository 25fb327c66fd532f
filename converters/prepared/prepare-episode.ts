import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { EPISODE_SUFFIX } from '../../schemas/episode.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import { labelsFileOf } from '../../schemas/labels.ts';
import { episodeFrames, type FramesReport } from '../episode-frames.ts';
import type { EpisodeNumbers } from '../episode-numbers.ts';
import type { Frame } from '../frame.ts';
import { manifestClock } from '../manifest.ts';
import type { PictureForm } from './picture-form.ts';
import { Preparation } from './preparation.ts';
import { type EpisodeFacts, PreparedEpisode } from './prepared-episode.ts';

export interface PrepareRequest {
  readonly file: string;
  readonly contract: Contract;
  readonly forms: readonly PictureForm[];
  /** Folder of the episodes that were prepared in the same way; see `PreparedFolder`. */
  readonly root: string;
}

export interface PrepareOptions {
  /** Told after every frame. */
  readonly onFrame?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Prepares one recording, unless that is done already: the folder's name says which recording and which labels
 * it was made of. It gets its name when it is whole.
 *
 * @returns the name of its folder below the root.
 * @throws {ConvertError} when the recording does not give frames under the contract.
 */
export async function prepareEpisode(
  { file, contract, forms, root }: PrepareRequest,
  options: PrepareOptions = {},
): Promise<string> {
  const digest = await fileDigest(file);
  const name = preparedName(digest, await readFile(labelsFileOf(file)).catch(() => undefined));
  const directory = join(root, name);
  if (await PreparedEpisode.open(directory)) return name;
  const part = `${directory}.${process.pid}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  const preparation = await Preparation.begin(part, contract, forms);
  try {
    const facts = await readFrames(file, contract, {
      ...options,
      digest,
      onFrame: async (frame) => {
        await preparation.add(frame);
        options.onFrame?.();
      },
    });
    await preparation.finish(facts);
  } catch (error) {
    await preparation.abort();
    await rm(part, { recursive: true, force: true });
    throw error;
  }
  await rm(directory, { recursive: true, force: true });
  await rename(part, directory);
  return name;
}

/** Name of a prepared episode's folder; labels decide what is taken of a recording. */
export function preparedName(digest: string, labels?: Uint8Array): string {
  const said = labels ? createHash('sha256').update(labels).digest('hex').slice(0, 16) : 'none';
  return `${recordingPart(digest)}-${said}`;
}

/** The part of the name that says which recording it is. */
export function recordingPart(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 32);
}

export interface ReadFramesOptions {
  readonly digest: string;
  readonly onFrame: (frame: Frame) => void | Promise<void>;
  readonly decodesPictures?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Takes all frames of a recording.
 *
 * @returns what there is to say of the episode, given the numbers of its frames.
 * @throws {ConvertError} when there is none, or as {@link episodeFrames}.
 */
export async function readFrames(
  file: string,
  contract: Contract,
  { digest, onFrame, decodesPictures = true, signal }: ReadFramesOptions,
): Promise<(numbers: EpisodeNumbers) => EpisodeFacts> {
  await using reader = await EpisodeReader.open(file);
  const info = await reader.info();
  const frames = episodeFrames(reader, contract, { decodesPictures });
  let step = await frames.next();
  for (; !step.done; step = await frames.next()) {
    signal?.throwIfAborted();
    await onFrame(step.value);
  }
  const report = step.value;
  if (report.frames === 0) throw noFrames(file, report);
  const recordingTime = reader.startTime;
  return ({ tickTimes }) => ({
    id: info?.id ?? basename(file, EPISODE_SUFFIX),
    file: basename(file),
    digest,
    task: info?.task ?? contract.episode.tasks[0]!,
    info,
    recordingTime,
    frames: report.frames,
    trimmedStart: report.trimmedStart,
    trimmedEnd: report.trimmedEnd,
    startTime: String(tickTimes[0]),
    endTime: String(tickTimes.at(-1)),
    clocks: [...report.clocks].map(([stream, clock]) => manifestClock(stream, clock)),
    late: report.lateMessages,
  });
}

function noFrames(file: string, { ticks, missingAtStart }: FramesReport): ConvertError {
  const [worst] = [...missingAtStart].sort(([, a], [, b]) => b - a);
  const found = worst
    ? `a frame needs a valid value of every required stream, but "${worst[0]}" has none at ${worst[1]} of ${ticks} ticks`
    : "it holds no message of the contract's streams";
  return new ConvertError(
    `Cannot convert "${file}": ${found}. Check the clock and the tolerance of its features, or leave the ` +
      'episode out.',
  );
}
