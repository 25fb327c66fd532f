import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { release } from '../../schemas/chunk-codec.ts';
import type { Contract } from '../../schemas/contract.ts';
import { EPISODE_SUFFIX } from '../../schemas/episode.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { ConvertError, EpisodeError } from '../../schemas/errors.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import { type CurrentLabels, currentLabels, labelsFileOf, readLabels } from '../../schemas/labels.ts';
import { recordedPauses } from '../../schemas/pause-spans.ts';
import type { TimeRange } from '../../schemas/time.ts';
import { planAudio, writeAudio } from '../audio/audio-track.ts';
import { episodeFrames, type FramesOptions, type FramesReport } from '../episode-frames.ts';
import type { EpisodeNumbers } from '../episode-numbers.ts';
import type { Frame } from '../frame.ts';
import { keptRanges } from '../kept-ranges.ts';
import { manifestClock } from '../manifest.ts';
import { storageFault } from '../storage-fault.ts';
import { sampledFrames, surveyVideos, type VideoPlan, videoRecords } from '../video-survey.ts';
import { copies, type PictureForm } from './picture-form.ts';
import { Preparation } from './preparation.ts';
import { audioFile, type EpisodeFacts, openPrepared } from './prepared-episode.ts';

export interface PrepareRequest {
  readonly file: string;
  readonly contract: Contract;
  readonly forms: readonly PictureForm[];
  /** Folder of the episodes that were prepared in the same way; see `PreparedFolder`. */
  readonly root: string;
  /** Cores that it may keep busy. @default all */
  readonly cores?: number;
}

export interface PrepareOptions {
  /** Told after every frame. */
  readonly onFrame?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Prepares one recording, unless that is done already: the folder's name says which recording and which labels it
 * was made of. It gets its name when it is whole. Each stretch that the labels keep is an episode of its own, in a
 * folder that bears its number.
 *
 * @returns the name of its folder below the root.
 * @throws {ConvertError} when the recording does not give frames under the contract.
 */
export async function prepareEpisode(request: PrepareRequest, options: PrepareOptions = {}): Promise<string> {
  const { file, root } = request;
  const digest = await fileDigest(file).catch((cause: Error) => {
    const message = `Cannot read "${file}": ${cause.message}. It was there when the conversion began.`;
    throw new EpisodeError(file, message, { cause });
  });
  const name = preparedName(digest, await readFile(labelsFileOf(file)).catch(() => undefined));
  const directory = join(root, name);
  if (await openPrepared(directory)) return name;
  const part = `${directory}.${process.pid}.part`;
  await rm(part, { recursive: true, force: true });
  try {
    for (const episode of await episodesOf(file, request.contract)) {
      await prepareStretch(join(part, String(episode.number)), request, { ...options, digest, episode });
    }
  } catch (error) {
    const refused = await storageFault(error, datasetsOf(root));
    await rm(part, { recursive: true, force: true });
    throw refused ?? error;
  }
  await rm(directory, { recursive: true, force: true });
  await rename(part, directory);
  return name;
}

async function prepareStretch(
  directory: string,
  { file, contract, forms, cores }: PrepareRequest,
  { onFrame, ...options }: PrepareOptions & { readonly digest: string; readonly episode: RecordedEpisode },
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const storesVideo = forms.some(({ kind }) => kind === 'video');
  const videos = storesVideo ? await surveyVideos(file, contract, options.episode) : undefined;
  const making = { forms, videos, cores, onUnused: releaseWhole };
  const preparation = await Preparation.begin(directory, contract, making);
  try {
    const facts = await readFrames(file, contract, {
      ...options,
      wantsPicture: wantedPictures(forms, videos),
      audioDirectory: directory,
      onFrame: async (frame) => {
        await preparation.add(frame);
        onFrame?.();
      },
    });
    await preparation.finish((numbers) => ({ ...facts(numbers), videos: videos && videoRecords(videos) }));
  } catch (error) {
    await preparation.abort();
    throw error;
  }
}

/** Of a camera that is copied only some pictures are looked at, unless a form needs them all. */
function wantedPictures(
  forms: readonly PictureForm[],
  videos: ReadonlyMap<string, VideoPlan> = new Map(),
): ReadFramesOptions['wantsPicture'] {
  const sampled = new Map(
    [...videos].flatMap(([key, plan]) =>
      plan.isCopied && forms.every((form) => copies(form, plan)) ? [[key, sampledFrames(plan.frames)]] : [],
    ),
  );
  return (key, frame) => sampled.get(key)?.has(frame) ?? true;
}

/** Frees pixels that have their memory for themselves: each camera's reader made them for one frame after the other. */
function releaseWhole(pixels: Uint8Array): void {
  if (pixels.byteLength === pixels.buffer.byteLength) release(pixels);
}

/** The folder of the datasets, beside which a folder of prepared episodes lies. */
function datasetsOf(root: string): string {
  return dirname(dirname(root));
}

/** Name of a prepared episode's folder; labels decide what is taken of a recording. */
function preparedName(digest: string, labels?: Uint8Array): string {
  const said = labels ? createHash('sha256').update(labels).digest('hex').slice(0, 16) : 'none';
  return `${recordingPart(digest)}-${said}`;
}

/** The part of the name that says which recording it is. */
export function recordingPart(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 32);
}

/** An episode within a recording. */
export interface RecordedEpisode {
  /** From 0. */
  readonly number: number;
  readonly recordingId: string;
  readonly id: string;
  /** Log time; absent for the whole recording. */
  readonly within?: TimeRange;
  /** The stretches of the recording that are episodes, of which `within` is one; absent for the whole recording. */
  readonly kept?: readonly TimeRange[];
  /** The operator's pauses, where they are cut; absent for the whole recording. */
  readonly pauses?: readonly TimeRange[];
  readonly labels: CurrentLabels;
}

/**
 * The episodes that a recording holds: one, unless pauses, labels or the contract leave a stretch in its middle out.
 * Between two cuts there may be too little for a frame; that is no episode.
 *
 * @throws {ConvertError} when they leave nothing.
 */
export async function episodesOf(file: string, contract: Contract): Promise<readonly RecordedEpisode[]> {
  const { samples } = contract;
  await using reader = await EpisodeReader.open(file);
  const info = await reader.info();
  const recordingId = info?.id ?? basename(file, EPISODE_SUFFIX);
  const labels = currentLabels(await readLabels(file));
  const recording = { startTime: reader.startTime, endTime: reader.endTime };
  const pauses = samples.pauses === 'cut' ? await recordedPauses(reader) : [];
  const ranges = keptRanges(recording, { ...labels, pauses }, samples);
  if (ranges.length === 0 && recording.startTime < recording.endTime) {
    throw new ConvertError(
      `Cannot convert "${file}": its pauses, its labels and the contract's "samples" leave nothing of it. Set "pauses: keep", ` +
        'trim less, or leave the episode out.',
    );
  }
  const [first = recording] = ranges;
  const isWhole = first.startTime === recording.startTime && first.endTime === recording.endTime;
  if (isWhole) return [{ number: 0, recordingId, id: recordingId, labels }];
  const kept = await withFrames(ranges, reader, contract);
  return kept.map((within, number) => {
    const id = kept.length > 1 ? `${recordingId}-${number + 1}` : recordingId;
    // How it ended is known of the last stretch alone.
    const { outcome } = number === kept.length - 1 ? labels : { outcome: undefined };
    return { number, recordingId, id, within, kept, pauses, labels: { ...labels, outcome } };
  });
}

/** Those that hold a frame at least; where none does, the first, so that reading it says why. */
async function withFrames(
  ranges: readonly TimeRange[],
  reader: EpisodeReader,
  contract: Contract,
): Promise<readonly TimeRange[]> {
  if (ranges.length < 2) return ranges;
  const kept: TimeRange[] = [];
  for (const within of ranges) {
    await using frames = episodeFrames(reader, contract, { decodesPictures: false, within });
    if (!(await frames.next()).done) kept.push(within);
  }
  return kept.length > 0 ? kept : ranges.slice(0, 1);
}

export interface ReadFramesOptions {
  readonly digest: string;
  readonly episode: RecordedEpisode;
  readonly onFrame: (frame: Frame) => void | Promise<void>;
  readonly decodesPictures?: boolean;
  /** As {@link FramesOptions}'s. */
  readonly wantsPicture?: FramesOptions['wantsPicture'];
  /** Where the sound is written; see `audioFile()`. @default it is only looked at */
  readonly audioDirectory?: string;
  readonly signal?: AbortSignal;
}

/**
 * Takes all frames of a recording, and its sound.
 *
 * @returns what there is to say of the episode, given the numbers of its frames.
 * @throws {ConvertError} when there is none, or as {@link episodeFrames}.
 */
export async function readFrames(
  file: string,
  contract: Contract,
  {
    digest,
    episode,
    onFrame,
    decodesPictures = true,
    wantsPicture,
    audioDirectory,
    signal,
  }: ReadFramesOptions,
): Promise<(numbers: EpisodeNumbers) => EpisodeFacts> {
  await using reader = await EpisodeReader.open(file);
  const info = await reader.info();
  const { id, recordingId, within, labels, kept, pauses = [] } = episode;
  await using frames = episodeFrames(reader, contract, { decodesPictures, wantsPicture, labels, within });
  let startTime: bigint | undefined;
  let step = await frames.next();
  for (; !step.done; step = await frames.next()) {
    startTime ??= step.value.tickTime;
    signal?.throwIfAborted();
    await onFrame(step.value);
  }
  const report = step.value;
  if (startTime === undefined) throw noFrames(file, report);
  const plans = await planAudio(reader, contract, { startTime, frames: report.frames });
  if (audioDirectory !== undefined) {
    for (const [i, plan] of plans.entries()) await writeAudio(audioFile(audioDirectory, i), reader, plan);
  }
  const recordingTime = reader.startTime;
  const ticksIn = (stretches: readonly TimeRange[]) =>
    stretches.reduce((sum, stretch) => sum + report.ticksIn(stretch), 0);
  const pausedTicks = ticksIn(pauses);
  const keptTicks = kept ? ticksIn(kept) : report.recordingTicks;
  return ({ tickTimes }) => ({
    id,
    recordingId,
    file: basename(file),
    digest,
    task: info?.task ?? contract.episode.tasks[0]!,
    info,
    recordingTime,
    frames: report.frames,
    trimmedStart: report.trimmedStart,
    trimmedEnd: report.trimmedEnd,
    pausedTicks,
    leftOutTicks: report.recordingTicks - keptTicks - pausedTicks,
    startTime: String(tickTimes[0]),
    endTime: String(tickTimes.at(-1)),
    clocks: [...report.clocks].map(([stream, clock]) => manifestClock(stream, clock)),
    late: report.lateMessages,
    unusable: report.unusablePictures,
    audio: plans.map(({ record }) => record),
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
