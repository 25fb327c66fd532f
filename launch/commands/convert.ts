import { availableParallelism } from 'node:os';
import {
  type Conversion,
  type ConvertOptions,
  convertEpisodes,
  type LateMessages,
  previewEpisodes,
} from '../../converters/convert.ts';
import type { DatasetFormat } from '../../converters/dataset-writer.ts';
import type { ConvertProgress } from '../../converters/progress-meter.ts';
import { type ContractFile, readContract } from '../../schemas/contract-file.ts';
import type {
  DatasetManifest,
  ManifestClock,
  ManifestEpisode,
  ManifestFeature,
} from '../../schemas/dataset-manifest.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { UsageError } from '../../schemas/errors.ts';
import { episodesAt } from '../../schemas/library.ts';
import { storedContract } from '../../schemas/stored-contract.ts';
import { audioLines } from '../audio-lines.ts';
import type { CommandOptions } from '../command.ts';
import { formatsNamed } from '../formats.ts';
import { type JudgedEpisodes, judgedEpisodes } from '../judged-episodes.ts';
import { formatSecs, ProgressLine } from '../progress-line.ts';
import { programVersion } from '../version.ts';
import { videoLines } from '../video-lines.ts';

/** `kinescribe convert`: episodes and libraries to datasets. */
export async function convert(paths: readonly string[], options: CommandOptions): Promise<number> {
  const formats = formatsNamed(String(options.format));
  const files = await episodesAt(paths);
  const contract = options.contract
    ? await readContract(String(options.contract))
    : await contractOf(files[0]!);
  const judged = await judgedOf(files, contract, options);
  if (options.dryRun) return await preview(judged.kept, contract, formats);
  const { late, skipped, unreadLabels } = await convertWithProgress(judged.kept, {
    contract,
    formats,
    directory: String(options.out),
    ...(options.workers !== undefined && { workers: workersOf(options.workers) }),
    strict: options.strict === true,
    resume: options.resume === true,
    append: options.append === true,
    keepPrepared: options.keep !== false,
    verdicts: judged.verdicts,
  });
  return late.length + skipped.length + unreadLabels.length > 0 ? 3 : 0;
}

function workersOf(option: CommandOptions[string]): number {
  const workers = Number(option);
  if (Number.isInteger(workers) && workers > 0) return workers;
  throw new UsageError(`Cannot convert: --workers must be a whole number above 0, found ${option}.`);
}

/** Without --require every episode counts. */
async function judgedOf(
  files: readonly string[],
  { contract }: ContractFile,
  { require }: CommandOptions,
): Promise<Pick<JudgedEpisodes, 'kept' | 'verdicts'>> {
  if (require !== 'sound' && require !== 'pass') return { kept: files, verdicts: new Map() };
  const judged = await judgedEpisodes(files, { require, contract, version: await programVersion() });
  for (const { file, verdict } of judged.leftOut) console.log(`  LEFT OUT ${file}: ${verdict}`);
  if (judged.kept.length > 0) return judged;
  throw new UsageError(
    `Cannot convert: --require ${require} leaves out all ${files.length} episodes. "kinescribe check" says why.`,
  );
}

/** Prints what a conversion would give, before any picture is decoded. */
async function preview(
  files: readonly string[],
  contract: ContractFile,
  formats: readonly DatasetFormat[],
): Promise<number> {
  const line = new ProgressLine();
  const { episodes, features, late } = await previewEpisodes(files, {
    contract,
    formats,
    onProgress: (progress) => line.show(progressText(progress)),
  });
  line.end();
  const { tickRateHz } = contract.contract.samples;
  for (const { id, frames, trimmedStart, trimmedEnd, clocks } of episodes) {
    console.log(
      `${id}: ${frames} frames, ${(frames / tickRateHz).toFixed(1)} s; ` +
        `${trimmedStart} ticks cut at the start, ${trimmedEnd} at the end`,
    );
    for (const text of clocks.flatMap(clockLines)) console.log(text);
  }
  for (const text of cutLines(episodes, tickRateHz)) console.log(text);
  for (const text of audioLines(episodes, contract.contract)) console.log(text);
  console.log(
    `${episodes.reduce((sum, { frames }) => sum + frames, 0)} frames at ${tickRateHz} Hz would have:`,
  );
  for (const text of featureLines(features)) console.log(text);
  for (const text of [...videoLines(episodes), ...lateLines(late)]) console.log(text);
  return late.length > 0 ? 3 : 0;
}

/** Converts with a progress line and says what came of it. */
export async function convertWithProgress(
  files: readonly string[],
  options: Omit<ConvertOptions, 'version' | 'onProgress'>,
): Promise<Conversion> {
  const line = new ProgressLine();
  const began = performance.now();
  const conversion = await convertEpisodes(files, {
    workers: availableParallelism(),
    ...options,
    version: await programVersion(),
    onProgress: (progress) => line.show(progressText(progress)),
  });
  line.end();
  const secs = (performance.now() - began) / 1000;
  for (const { format, directory, manifest } of conversion.datasets) {
    const { frames, samples, episodes } = manifest;
    console.log(
      `${format}: ${episodes.length} episodes, ${frames} frames, ${samples} samples → ${directory}`,
    );
  }
  console.log(`converted in ${formatSecs(secs)}`);
  for (const text of trimLines(conversion.datasets[0]?.manifest)) console.log(text);
  const { episodes = [], tickRateHz = 1 } = conversion.datasets[0]?.manifest ?? {};
  for (const text of cutLines(episodes, tickRateHz)) console.log(text);
  for (const text of audioLines(episodes, options.contract.contract)) console.log(text);
  for (const text of featureLines(conversion.datasets[0]?.manifest.features ?? [])) console.log(text);
  for (const { clocks } of conversion.datasets[0]?.manifest.episodes ?? []) {
    for (const text of clocks.flatMap(clockLines)) console.log(text);
  }
  const withVideo = conversion.datasets.find(({ manifest }) =>
    manifest.episodes.some(({ videos }) => videos),
  );
  for (const text of videoLines(withVideo?.manifest.episodes ?? episodes)) console.log(text);
  for (const text of lateLines(conversion.late)) console.log(text);
  for (const file of conversion.discarded) console.log(`  DISCARDED ${file}: by its label`);
  for (const { file, lines } of conversion.unreadLabels) {
    console.log(`  LABELS ${file}: ${lines} of its labels cannot be read and count for nothing`);
  }
  for (const { file, fault } of conversion.skipped) console.log(`  SKIPPED ${file}: ${fault.message}`);
  return conversion;
}

function lateLines(late: readonly LateMessages[]): string[] {
  return late.map(
    ({ episode, stream, messages }) =>
      `  LATE ${episode}, stream "${stream}": ${messages} messages came too late for their frames`,
  );
}

/** What was found out about a sensor's clock, where there is something to say. */
function clockLines({ stream, offsetSecs, driftPpm, steps, steady }: ManifestClock): string[] {
  const lines = steps.map(
    ({ stepSecs, messages }) =>
      `  CLOCK "${stream}": ${messages} stamps were ${Math.abs(stepSecs).toFixed(3)} s ` +
      `${stepSecs > 0 ? 'ahead' : 'behind'} and are in no frame`,
  );
  if (offsetSecs !== null) {
    lines.push(
      `  CLOCK "${stream}": offset ${offsetSecs.toFixed(6)} s, drift ${(driftPpm ?? 0).toFixed(1)} ppm`,
    );
  }
  if (!steady)
    lines.push(`  CLOCK "${stream}": stamps jump all the time; set "clock: log" if ages look wrong`);
  return lines;
}

const STAGES = { preparing: 'prepared', writing: 'written' } as const;

function progressText({
  stage,
  episodesDone,
  episodes,
  framesDone,
  framesExpected,
  framesPerSec,
}: ConvertProgress): string {
  const share = Math.min(100, Math.round((100 * framesDone) / Math.max(1, framesExpected)));
  const left = framesPerSec > 0 ? formatSecs((framesExpected - framesDone) / framesPerSec) : '?';
  return `${episodesDone} of ${episodes} episodes ${STAGES[stage]}  ${share} %  ${framesDone} frames  ${framesPerSec.toFixed(0)} frames/s  ${left} left`;
}

/** Where an episode lost its ends because a required stream had not begun or had ended. */
function trimLines(manifest: DatasetManifest | undefined): string[] {
  const rate = manifest?.tickRateHz ?? 1;
  return (manifest?.episodes ?? [])
    .filter(({ trimmedStart, trimmedEnd }) => trimmedStart + trimmedEnd > rate)
    .map(
      ({ id, trimmedStart, trimmedEnd }) =>
        `  TRIMMED ${id}: ${(trimmedStart / rate).toFixed(1)} s at the start, ${(trimmedEnd / rate).toFixed(1)} s ` +
        'at the end, where a required stream had not begun or had ended',
    );
}

/** What of a recording is in none of its episodes. */
function cutLines(episodes: readonly ManifestEpisode[], tickRateHz: number): string[] {
  const recordings = new Map(episodes.map((episode) => [episode.digest, episode]));
  const amount = (ticks: number) => `${ticks} ticks, ${(ticks / tickRateHz).toFixed(1)} s,`;
  return [...recordings.values()].flatMap(({ file, pausedTicks = 0, leftOutTicks = 0 }) => [
    ...(pausedTicks > 0 ? [`  PAUSED ${file}: ${amount(pausedTicks)} are in no frame`] : []),
    ...(leftOutTicks > 0
      ? [`  LEFT OUT ${file}: ${amount(leftOutTicks)} by labels, marks or the contract's trimming`]
      : []),
  ]);
}

/** Age and validity of every feature: what a trainer should know before anything else. */
function featureLines(features: readonly ManifestFeature[]): string[] {
  const width = Math.max(0, ...features.map(({ key }) => key.length));
  const millis = (secs: number | null) => (secs === null ? '–' : `${(secs * 1000).toFixed(1)} ms`);
  return features.map(
    ({ key, align, ageP50Secs, ageP95Secs, invalidShare }) =>
      `  ${key.padEnd(width)}  ${align.padEnd(7)}  age p50 ${millis(ageP50Secs)}, p95 ${millis(ageP95Secs)}` +
      `  invalid ${(100 * invalidShare).toFixed(1)} %`,
  );
}

/** The contract that the first recording carries. */
async function contractOf(file: string): Promise<ContractFile> {
  await using reader = await EpisodeReader.open(file);
  const contract = await storedContract(reader);
  if (contract) return contract;
  throw new UsageError(`Episode "${file}" carries no contract. Give one with --contract.`);
}
