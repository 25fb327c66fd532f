import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract, Feature } from '../schemas/contract.ts';
import {
  type DatasetManifest,
  datasetManifestSchema,
  MANIFEST_FILE,
  type ManifestClock,
  type ManifestFeature,
} from '../schemas/dataset-manifest.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { z } from '../schemas/validation.ts';
import type { ClockReport } from './clock-survey.ts';
import type { EpisodeHeader } from './dataset-writer.ts';
import { type EpisodeNumbers, elementRows } from './episode-numbers.ts';
import { filesBelow } from './files-below.ts';
import { elementCount, isNumeric, numberForm } from './frame.ts';
import { TRAINING } from './split.ts';
import { Statistics } from './statistics.ts';

/** Exact for three quarters of an hour at 50 Hz; 1 MiB per feature. */
const EXACT_AGES = 1 << 17;

/** Values with more elements are maps, of which statistics per element would fill the manifest. */
const MAX_ELEMENTS = 512;

/** Gathers, episode by episode, what a manifest says of the features. */
export class FeatureTable {
  readonly #contract: Contract;
  readonly #distances: ReadonlyMap<string, Statistics>;
  /** Of the training split. */
  readonly #values: ReadonlyMap<string, Statistics>;
  #frames = 0;

  constructor(contract: Contract) {
    this.#contract = contract;
    this.#distances = new Map(
      Object.keys(contract.features).map((key) => [key, new Statistics(1, { exactValues: EXACT_AGES })]),
    );
    this.#values = new Map(
      Object.entries(contract.features).flatMap(([key, feature]) =>
        isNumeric(feature) && elementCount(feature) <= MAX_ELEMENTS
          ? [[key, new Statistics(elementCount(feature))]]
          : [],
      ),
    );
  }

  /** Adds the frames of an episode. */
  add(numbers: EpisodeNumbers, { split = TRAINING }: Pick<EpisodeHeader, 'split'>): void {
    const { frames, features } = numbers;
    this.#frames += frames;
    for (const [key, { valid, ageSecs }] of features) {
      const distances = this.#distances.get(key)!;
      const values = split === TRAINING ? this.#values.get(key) : undefined;
      const elements = values && elementRows(numbers, key);
      const width = (elements?.length ?? 0) / frames;
      for (let frame = 0; frame < frames; frame++) {
        if (!valid[frame]) continue;
        distances.add([Math.abs(ageSecs[frame]!)]);
        values?.add(elements!.subarray(frame * width, (frame + 1) * width));
      }
    }
  }

  rows(): ManifestFeature[] {
    return Object.entries(this.#contract.features).map(([key, feature]) => {
      const distances = this.#distances.get(key)!;
      const values = this.#values.get(key);
      const age = (q: number) => (distances.rows > 0 ? distances.quantile(q)[0]! : null);
      return {
        key,
        ...elementForm(feature),
        align: feature.kind === 'outcome' ? 'label' : feature.align,
        ageP50Secs: age(0.5),
        ageP95Secs: age(0.95),
        invalidShare: this.#frames > 0 ? (this.#frames - distances.rows) / this.#frames : 0,
        ...(values && { statistics: statisticsOf(values) }),
      };
    });
  }
}

function statisticsOf(values: Statistics): NonNullable<ManifestFeature['statistics']> {
  const numbers = (each: Float64Array) =>
    Array.from(each, (value) => (Number.isFinite(value) ? value : null));
  const { rows, mean, std, min, max } = values.summary();
  const quantile = (q: number) => numbers(values.quantile(q));
  return {
    count: rows,
    ...{ mean: numbers(mean), std: numbers(std), min: numbers(min), max: numbers(max) },
    ...{
      q01: quantile(0.01),
      q10: quantile(0.1),
      q50: quantile(0.5),
      q90: quantile(0.9),
      q99: quantile(0.99),
    },
  };
}

function elementForm(
  feature: Feature,
): Pick<ManifestFeature, 'kind' | 'dtype' | 'shape' | 'unit' | 'derive' | 'actionSpace'> {
  if (feature.kind === 'image') {
    return { kind: 'image', dtype: 'uint8', shape: [feature.height, feature.width, 3] };
  }
  if (feature.kind === 'text') return { kind: 'text', dtype: 'string', shape: [] };
  const { dtype, shape, unit } = numberForm(feature);
  const { derive, actionSpace } =
    feature.kind === 'vector' ? feature : { derive: undefined, actionSpace: undefined };
  return {
    ...{ kind: feature.kind, dtype, shape: [...shape] },
    ...(unit !== undefined && { unit }),
    ...(derive && { derive }),
    ...(actionSpace && { actionSpace }),
  };
}

/** What the manifest says of one stream's clock. */
export function manifestClock(
  stream: string,
  { messages, offset, steps, isSteady }: ClockReport,
): ManifestClock {
  return {
    stream,
    messages,
    offsetSecs: offset?.offsetSecs ?? null,
    driftPpm: offset?.driftPpm ?? null,
    steps: steps.map((step) => ({
      ...step,
      startTime: step.startTime.toString(),
      endTime: step.endTime.toString(),
    })),
    steady: isSteady,
  };
}

/** Writes `manifest.json` into a finished dataset, with the digest of every file that lies there. */
export async function writeManifest(
  directory: string,
  content: Omit<DatasetManifest, 'kinescribe' | 'files'>,
): Promise<DatasetManifest> {
  const files: DatasetManifest['files'] = [];
  for (const path of await filesBelow(directory)) {
    const { size } = await stat(join(directory, path));
    files.push({
      path,
      bytes: size,
      digest: await fileDigest(join(directory, path)),
    });
  }
  const manifest = datasetManifestSchema.parse({ kinescribe: 1, ...content, files });
  await writeFile(join(directory, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

type ManifestOrFault =
  | { readonly manifest: DatasetManifest }
  | { readonly manifest: undefined; readonly fault: string };

/** Reads the manifest of a dataset. */
export async function readManifest(directory: string): Promise<ManifestOrFault> {
  const broken = (reason: string) => ({ manifest: undefined, fault: `${MANIFEST_FILE}: ${reason}` });
  try {
    const json: unknown = JSON.parse(await readFile(join(directory, MANIFEST_FILE), 'utf8'));
    const { data, error } = datasetManifestSchema.safeParse(json);
    return data ? { manifest: data } : broken(z.prettifyError(error));
  } catch (error) {
    return broken(`cannot be read (${error}). Is "${directory}" a dataset written by kinescribe?`);
  }
}
