import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { sampleBytes } from '../../schemas/contract-audio.ts';
import type { DatasetManifest, ManifestEpisode } from '../../schemas/dataset-manifest.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { planAudio, writeAudio } from './audio-track.ts';
import { wavPath } from './prepared-audio.ts';
import { readWavHeader, type WavHeader } from './wav.ts';

/** What comes before the samples of a file that we wrote, and then some. */
const HEADER_BYTES = 128;
/** Bytes that are compared at a time; whole samples of any kind. */
const PIECE_BYTES = 1 << 20;

/**
 * Checks the WAV files of a dataset: as the manifest declares them, as long as the frames, and silent where it says
 * that nothing was recorded.
 *
 * @returns one sentence per fault.
 */
export async function verifyAudio(directory: string, manifest: DatasetManifest): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const declared of manifest.audio ?? []) {
    for (const { index, id, frames, audio = [] } of manifest.episodes) {
      const said = audio.find(({ name }) => name === declared.name);
      const path = wavPath(declared.name, index);
      if (!said) {
        faults.push(`episode "${id}": the manifest says nothing of its sound "${declared.name}".`);
        continue;
      }
      const length = Math.round((frames * declared.sampleRateHz) / manifest.tickRateHz);
      if (said.samples !== length) {
        faults.push(`${path}: has ${said.samples} samples, ${frames} frames last ${length}.`);
      }
      faults.push(...(await wavFaults(directory, { path, declared, said })));
    }
  }
  return faults;
}

type Declared = NonNullable<DatasetManifest['audio']>[number];
type Said = NonNullable<ManifestEpisode['audio']>[number];

async function wavFaults(
  directory: string,
  { path, declared, said }: { readonly path: string; readonly declared: Declared; readonly said: Said },
): Promise<string[]> {
  const file = join(directory, path);
  let header: WavHeader;
  try {
    header = await headerOf(file);
  } catch (error) {
    return [`${path}: cannot be read: ${(error as Error).message}.`];
  }
  const faults: string[] = [];
  for (const key of ['sampleRateHz', 'channels', 'format'] as const) {
    if (header[key] !== declared[key]) {
      faults.push(`${path}: its ${key} is ${header[key]}, the manifest says ${declared[key]}.`);
    }
  }
  const bytes = sampleBytes(declared);
  const { size } = await stat(file);
  if (header.bytes !== said.samples * bytes || size !== header.offset + header.bytes) {
    faults.push(
      `${path}: holds ${header.bytes / bytes} samples in ${size} bytes, the manifest says ${said.samples}.`,
    );
  }
  if (faults.length > 0) return faults;
  await using handle = await open(file);
  for (const { from, to } of said.silences) {
    const pcm = Buffer.alloc((to - from) * bytes);
    await handle.read(pcm, 0, pcm.byteLength, header.offset + from * bytes);
    const sound = pcm.findIndex((byte) => byte !== 0);
    if (sound >= 0) {
      const sample = from + Math.floor(sound / bytes);
      faults.push(`${path}: sample ${sample} is not silent, but the manifest says that it was not recorded.`);
    }
  }
  return faults;
}

async function headerOf(file: string): Promise<WavHeader> {
  await using handle = await open(file);
  const start = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await handle.read(start, 0, HEADER_BYTES, 0);
  return readWavHeader(start.subarray(0, bytesRead));
}

/**
 * Holds the sound of an episode against its recording, sample by sample.
 *
 * @returns one sentence per fault, naming file and sample.
 */
export async function verifyAudioAgainst(
  directory: string,
  { index, startTime, frames }: ManifestEpisode,
  { file, contract }: { readonly file: string; readonly contract: Contract },
): Promise<readonly string[]> {
  if (!contract.audio) return [];
  await using reader = await EpisodeReader.open(file);
  const plans = await planAudio(reader, contract, { startTime: BigInt(startTime), frames });
  const folder = await mkdtemp(join(tmpdir(), 'kinescribe-audio-'));
  const faults: string[] = [];
  try {
    for (const plan of plans) {
      const { name, track } = plan.record;
      const [path, truth] = [wavPath(name, index), join(folder, `${name}.wav`)];
      await writeAudio(truth, reader, plan);
      const at = await firstDifference(join(directory, path), truth);
      if (at === undefined) continue;
      const sample = Math.floor((at - (await headerOf(truth)).offset) / sampleBytes(track));
      faults.push(
        `${path}: differs from "${file}" ${sample < 0 ? 'in its header' : `from sample ${sample} on`}.`,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return faults;
}

/** Place of the first byte that differs; undefined where both files are the same. */
async function firstDifference(a: string, b: string): Promise<number | undefined> {
  await using one = await open(a).catch(() => undefined);
  if (!one) return 0;
  await using other = await open(b);
  for (let from = 0; ; from += PIECE_BYTES) {
    const [left, right] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
    const read = (await one.read(left, 0, PIECE_BYTES, from)).bytesRead;
    const wanted = (await other.read(right, 0, PIECE_BYTES, from)).bytesRead;
    const length = Math.min(read, wanted);
    if (left.compare(right, 0, length, 0, length) !== 0) {
      return from + left.findIndex((byte, i) => byte !== right[i]);
    }
    if (read !== wanted) return from + length;
    if (read === 0) return undefined;
  }
}
