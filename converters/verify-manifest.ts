import type { Contract } from '../schemas/contract.ts';
import { type DatasetManifest, MANIFEST_FILE, type ManifestEpisode } from '../schemas/dataset-manifest.ts';
import { FeatureTable } from './manifest.ts';
import { manifestEpisode } from './placed-episode.ts';
import type { Truth } from './verify-truth.ts';

/** Facts of an episode that its recording and its labels decide; a recording may bear another name by now. */
const FACTS = ['task', 'frames', 'trimmedStart', 'trimmedEnd', 'startTime', 'endTime', 'clocks'] as const;

/** Holds what a manifest says of episodes and features against the recordings. */
export class ManifestComparison {
  readonly #manifest: DatasetManifest;
  readonly #features: FeatureTable;
  #episodes = 0;
  #isInOrder = true;

  constructor(manifest: DatasetManifest, contract: Contract) {
    this.#manifest = manifest;
    this.#features = new FeatureTable(contract);
  }

  /** Adds an episode, in the order in which the dataset holds them. @returns what is wrong with what is said of it. */
  add(said: ManifestEpisode, { file, facts, numbers }: Truth): string[] {
    this.#isInOrder &&= said.index === this.#episodes++;
    this.#features.add(numbers, said);
    const truth = manifestEpisode({ facts, header: said });
    return FACTS.filter((fact) => !isSame(said[fact], truth[fact])).map((fact) =>
      faultText(`episode "${said.id}"`, fact, { found: said[fact], wanted: truth[fact], file: `"${file}"` }),
    );
  }

  /** Whether every episode was added: what is said of the features is said of all of them. */
  get isWhole(): boolean {
    return this.#isInOrder && this.#episodes === this.#manifest.episodes.length;
  }

  /** What is wrong with what is said of the features. */
  featureFaults(): string[] {
    if (!this.isWhole) return [];
    const { features } = this.#manifest;
    return this.#features.rows().flatMap((row) => {
      const said = features.find(({ key }) => key === row.key);
      if (!said) return [`${MANIFEST_FILE}: feature "${row.key}" is missing.`];
      const parts = Object.entries(row).filter(([name, wanted]) => !isSame(partOf(said, name), wanted));
      return parts.map(([name, wanted]) =>
        faultText(`feature "${row.key}"`, name, {
          found: partOf(said, name),
          wanted,
          file: 'the recordings',
        }),
      );
    });
  }
}

function partOf(record: object, name: string): unknown {
  return Object.entries(record).find(([key]) => key === name)?.[1];
}

/** Both come of JSON, or of what becomes JSON. */
function isSame(found: unknown, wanted: unknown): boolean {
  return JSON.stringify(found) === JSON.stringify(wanted);
}

function faultText(
  what: string,
  part: string,
  { found, wanted, file }: { readonly found: unknown; readonly wanted: unknown; readonly file: string },
): string {
  const gives = file === 'the recordings' ? 'give' : 'gives';
  return `${MANIFEST_FILE}, ${what}: ${part} is ${JSON.stringify(found)}, ${file} ${gives} ${JSON.stringify(wanted)}.`;
}
