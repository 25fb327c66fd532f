import { basename, resolve } from 'node:path';
import { JPEG_QUALITY } from '../../converters/lerobot-import/camera-pictures.ts';
import type { FeatureTopic } from '../../converters/lerobot-import/feature-topics.ts';
import { type ImportReport, importLerobot } from '../../converters/lerobot-import/import-lerobot.ts';
import { UsageError } from '../../schemas/errors.ts';
import type { CommandOptions } from '../command.ts';
import { ProgressLine } from '../progress-line.ts';
import { programVersion } from '../version.ts';

/**
 * `kinescribe import`: a LeRobot dataset to a library of episodes.
 *
 * @returns 0 when all of it is there, 3 when episodes or features are left out.
 */
export async function importDataset(
  [directory = '']: readonly string[],
  options: CommandOptions,
): Promise<number> {
  const library = String(options.out);
  const line = new ProgressLine();
  const report = await importLerobot(directory, {
    library,
    name: options.name === undefined ? nameFor(directory) : String(options.name),
    units: Array.isArray(options.unit) ? options.unit.map(String) : [],
    keepPackets: options.video === 'packets',
    actionSpace: options.actionSpace === undefined ? undefined : String(options.actionSpace),
    episodes: options.episodes === undefined ? undefined : numbersOf(String(options.episodes)),
    version: await programVersion(),
    onEpisode: (file, { frames }) => line.show(`${file}: ${frames} frames`),
  }).finally(() => line.end());
  for (const text of reportLines(report, library)) console.log(text);
  return report.leftOut.length + report.notHeld.size > 0 ? 3 : 0;
}

function reportLines(report: ImportReport, library: string): string[] {
  const { dataset, contract, topics, notHeld, imported, present, leftOut } = report;
  const faults = Map.groupBy(leftOut, ({ fault }) => shape(fault.message));
  return [
    `${dataset.name}: LeRobot ${dataset.version}, ${dataset.episodes.length} episodes at ${dataset.fps} Hz, robot "${dataset.robot}"`,
    ...topics.map((topic) => `  ${topic.topic}: ${whatOf(topic, report)}`),
    ...[...notHeld].map(([key, reason]) => `  NOT HELD ${key}: ${reason}`),
    ...[...faults.values()].map((alike) => {
      const indices = alike.map(({ index }) => index);
      return `  LEFT OUT ${indices.length === 1 ? 'episode' : 'episodes'} ${spans(indices)}: ${alike[0]!.fault.message}`;
    }),
    `${imported} episodes → ${library}${present > 0 ? `, ${present} were there` : ''}; contract ${contract.contract.name}.yaml`,
  ];
}

function whatOf({ key, kind, shape: size }: FeatureTopic, { contract }: ImportReport): string {
  const feature = contract.contract.features[key];
  const unit = feature?.kind === 'vector' ? feature.unit : undefined;
  switch (kind) {
    case 'joints':
      return `${size[0]} joints, ${unit ?? 'as the dataset has them'}`;
    case 'numbers':
      return `numbers of shape [${size.join(', ')}]`;
    case 'text':
      return 'text';
    case 'image':
      return 'pictures as they are';
    case 'h264':
    case 'h265':
      return `video, its ${kind} packets as they are; checks do not look into them`;
    case 'video':
      return `video, stored as pictures: JPEG of quality ${JPEG_QUALITY}, a second compression with loss`;
    default:
      throw new TypeError(`Unknown topic ${kind satisfies never}`);
  }
}

/** Faults that differ in their numbers alone are told once. */
function shape(message: string): string {
  return message.replace(/\d+/g, '#');
}

/** `1–3, 7` of ascending numbers. */
function spans(numbers: readonly number[]): string {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(', ');
}

/** @throws {UsageError} for what is no list such as `0,3,10-19`. */
function numbersOf(text: string): ReadonlySet<number> {
  const numbers = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (!(count > 0))
      throw new UsageError(`--episodes must be numbers such as "0,3,10-19", found "${text}".`);
    return Array.from({ length: count }, (_, i) => Number(first) + i);
  });
  return new Set(numbers);
}

/** Of a folder's name what a contract's name may hold. */
function nameFor(directory: string): string {
  const words = basename(resolve(directory)).replace(/[^\w-]+/g, '-');
  return words.replace(/^[^A-Za-z]+|[^A-Za-z0-9]+$/g, '') || 'imported';
}
