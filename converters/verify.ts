import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetManifest, MANIFEST_FILE } from '../schemas/dataset-manifest.ts';
import { UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { verifyAudio } from './audio/verify-audio.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { filesBelow } from './files-below.ts';
import { readManifest } from './manifest.ts';

export interface Verification {
  /** Absent where it cannot be read. */
  readonly manifest: DatasetManifest | undefined;
  /** One sentence per fault, naming file and row; empty when the dataset is sound. */
  readonly faults: readonly string[];
}

/**
 * Reads a dataset back: its manifest, the digest of every file, no file beside them, then what the loader of
 * its format relies on.
 *
 * @param formats by name.
 * @throws {UsageError} when there is no such folder.
 */
export async function verifyDataset(
  directory: string,
  formats: ReadonlyMap<string, DatasetFormat>,
): Promise<Verification> {
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new UsageError(`Cannot verify "${directory}": there is no such folder.`);
  }
  const read = await readManifest(directory);
  if (!read.manifest) return { manifest: undefined, faults: [read.fault] };
  const { manifest } = read;
  const faults = await verifyFiles(directory, manifest);
  faults.push(...(await verifyAudio(directory, manifest)));
  const format = formats.get(manifest.format);
  if (format) faults.push(...(await format.verify(directory)));
  else faults.push(`${MANIFEST_FILE}: format "${manifest.format}" is unknown to this version.`);
  return { manifest, faults };
}

/** Holds the files that lie there against those that the manifest lists. */
async function verifyFiles(directory: string, { files }: DatasetManifest): Promise<string[]> {
  const faults: string[] = [];
  const present = new Set(await filesBelow(directory));
  present.delete(MANIFEST_FILE);
  for (const { path, bytes, digest } of files) {
    if (!present.delete(path)) {
      faults.push(`${path}: is missing.`);
      continue;
    }
    const { size } = await stat(join(directory, path));
    if (size !== bytes) faults.push(`${path}: has ${size} bytes, ${MANIFEST_FILE} says ${bytes}.`);
    else if ((await fileDigest(join(directory, path))) !== digest) {
      faults.push(`${path}: its content has changed since it was written (sha256 differs).`);
    }
  }
  for (const path of [...present].sort()) faults.push(`${path}: is not listed in ${MANIFEST_FILE}.`);
  return faults;
}
