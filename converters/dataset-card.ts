import type { DatasetManifest, ManifestFeature } from '../schemas/dataset-manifest.ts';

/** What people and the Hugging Face Hub read first. */
export const CARD_FILE = 'README.md';

/** The limits of the Hub's names for sizes. */
const SIZES = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
] as const;

export interface CardOptions {
  /** How a training job opens the dataset, Python. */
  readonly example: string;
  /** Tags of the Hub beside our own. */
  readonly tags?: readonly string[];
  /** Tables that the Hub shows: a pattern of Parquet files. */
  readonly tables?: string;
}

/**
 * The card of a dataset: what it holds, how old its values are, where they come from, how to load it. The same
 * manifest gives the same card.
 */
export function datasetCard(
  manifest: Omit<DatasetManifest, 'kinescribe' | 'files'>,
  { example, tags = [], tables }: CardOptions,
): string {
  const { contract, format, episodes, frames, samples, features, tickRateHz, clock, skipped } = manifest;
  const size = SIZES.find(([limit]) => frames < limit)?.[1] ?? 'n>10M';
  const tasks = [...new Set(episodes.map(({ task }) => task))].sort();
  const lines = [
    '---',
    `pretty_name: ${JSON.stringify(contract.name)}`,
    'task_categories: [robotics]',
    `tags: [${['kinescribe', ...tags].join(', ')}]`,
    `size_categories: ["${size}"]`,
    ...(tables === undefined ? [] : [`configs: [{ config_name: default, data_files: ${tables} }]`]),
    '---',
    '',
    `# ${contract.name}`,
    '',
    `${counted(episodes.length)}, ${frames} frames at ${tickRateHz} Hz, ${samples} samples in the format ` +
      `\`${format}\`, recorded and converted by kinescribe ${manifest.version} under the contract ` +
      `"${contract.name}" (\`${contract.digest}\`). Frames are on the ${clock} clock; each value carries its age ` +
      'and whether it is valid: a value that is not is a gap of the recording, and must be masked.',
    '',
    '## Tasks',
    '',
    ...tasks.map((task) => `- ${task} (${counted(episodes.filter((each) => each.task === task).length)})`),
    '',
    '## Features',
    '',
    '| feature | type | aligned | age p50 | age p95 | invalid |',
    '|---|---|---|---|---|---|',
    ...features.map(featureRow),
    '',
    ...soundLines(manifest),
    ...splitLines(manifest),
    ...verdictLines(episodes),
    '## Loading',
    '',
    '```python',
    example,
    '```',
    '',
    '## Where it comes from',
    '',
    `\`manifest.json\` has the digest of every file, statistics and clocks. The recordings:`,
    '',
    '| episode | recording | sha256 | frames |',
    '|---|---|---|---|',
    ...episodes.map(
      ({ id, file, digest, frames: count }) => `| ${id} | ${file} | \`${digest}\` | ${count} |`,
    ),
    '',
  ];
  if (skipped.length > 0) lines.push(`Left out, because they gave no frames: ${skipped.join(', ')}.`, '');
  return lines.join('\n');
}

function featureRow({
  key,
  dtype,
  shape,
  unit,
  align,
  ageP50Secs,
  ageP95Secs,
  invalidShare,
}: ManifestFeature) {
  const millis = (secs: number | null) => (secs === null ? '–' : `${(1000 * secs).toFixed(1)} ms`);
  const type = `${dtype} [${shape.join(', ')}]${unit === undefined ? '' : ` ${unit}`}`;
  const invalid = `${(100 * invalidShare).toFixed(2)} %`;
  return `| \`${key}\` | ${type} | ${align} | ${millis(ageP50Secs)} | ${millis(ageP95Secs)} | ${invalid} |`;
}

function soundLines({ audio, episodes }: Pick<DatasetManifest, 'audio' | 'episodes'>): string[] {
  if (!audio) return [];
  return [
    '## Sound',
    '',
    'Beside the frames, in `audio/<microphone>/episode_<index>.wav`: the first sample is heard at the first frame. The ' +
      "format's own loaders do not read these files. What was not recorded is silence, which `manifest.json` names by episode.",
    '',
    ...audio.map(({ name, sampleRateHz, channels, format }) => {
      const silent = episodes.flatMap(
        (episode) => episode.audio?.find((each) => each.name === name)?.silences ?? [],
      );
      const lost = silent.reduce((sum, { from, to }) => sum + to - from, 0);
      return `- \`${name}\`: ${channels} × ${format} at ${sampleRateHz} Hz, ${(lost / sampleRateHz).toFixed(3)} s not recorded`;
    }),
    '',
  ];
}

function splitLines({ split, episodes }: Pick<DatasetManifest, 'split' | 'episodes'>): string[] {
  if (!split) return [];
  const counts = Map.groupBy(episodes, (episode) => episode.split ?? '');
  return [
    '## Splits',
    '',
    `By ${split.by}, seed ${split.seed}; statistics are of the training split alone.`,
    '',
    ...[...counts].map(([name, held]) => `- ${name}: ${counted(held.length)}`),
    '',
  ];
}

/** What the checks made of the recordings; nothing where none was checked. */
function verdictLines(episodes: DatasetManifest['episodes']): string[] {
  const counts = Map.groupBy(episodes, ({ verdict = 'not checked' }) => verdict);
  if (counts.size === 0 || (counts.size === 1 && counts.has('not checked'))) return [];
  const rows = [...counts].map(([verdict, { length }]) => `- ${verdict}: ${counted(length)}`);
  return ['## Checks', '', ...rows, ''];
}

function counted(episodes: number): string {
  return `${episodes} ${episodes === 1 ? 'episode' : 'episodes'}`;
}
