import { type FileHandle, open } from 'node:fs/promises';
import { DatasetError } from '../schemas/errors.ts';

/** What the index of an mp4 file says of its one video track (ISO/IEC 14496-12). */
export interface Mp4Video {
  readonly file: string;
  readonly fileBytes: number;
  /** `av01`, `avc1`, `hvc1`, … */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Ticks per second of the durations. */
  readonly timescale: number;
  /** Sample entry box as it stands in the file: codec, size, decoder configuration. */
  readonly sampleEntry: Buffer;
  /** Bytes of each frame, in decoding order. */
  readonly sizes: Uint32Array;
  /** Where each frame begins in the file. */
  readonly offsets: Float64Array;
  /** Ticks from each frame to the next. */
  readonly durations: Uint32Array;
  /** Ticks by which the first frame is shown later than 0; negative where an edit list cuts into it. */
  readonly startTicks: number;
  /** Whether frames are stored in the order in which they are shown. */
  readonly presentationOrder: boolean;
  /** Frames that can be decoded alone, counted from 0; all of them where the file does not say. */
  readonly keyframes: Uint32Array | undefined;
  /** Whether the index lies before the frames, so that a reader need not seek to the end. */
  readonly indexFirst: boolean;
}

/**
 * Reads the index of an mp4 file with one video track.
 *
 * @throws {DatasetError} when the file is no such mp4.
 */
export async function readMp4(file: string): Promise<Mp4Video> {
  await using handle = await open(file);
  const { size: fileBytes } = await handle.stat();
  const places = await topLevel(handle, fileBytes);
  const [moov, mdat] = [places.get('moov'), places.get('mdat')];
  if (!moov || !mdat) {
    const missing = moov ? 'mdat' : 'moov';
    throw new DatasetError(`Cannot read video "${file}": no complete box "${missing}". Is the file cut off?`);
  }
  const bytes = Buffer.alloc(moov.end - moov.start);
  await handle.read(bytes, 0, bytes.length, moov.start);
  try {
    return { file, fileBytes, indexFirst: moov.start < mdat.start, ...parseIndex(bytes) };
  } catch (cause) {
    throw new DatasetError(`Cannot read video "${file}": its index is damaged.`, { cause });
  }
}

/** The bytes of some frames of a file: so many before one, or as many as there are. */
export async function codedSamples(
  file: string,
  { end, pictures }: { readonly end: number; readonly pictures: number },
): Promise<readonly Uint8Array[]> {
  const { sizes, offsets } = await readMp4(file);
  await using handle = await open(file);
  const samples: Uint8Array[] = [];
  for (let frame = Math.max(0, end - pictures); frame < end; frame++) {
    const sample = new Uint8Array(sizes[frame]!);
    await handle.read(sample, 0, sample.length, offsets[frame]!);
    samples.push(sample);
  }
  return samples;
}

/** Content of the boxes at the top of the file. Of those that run past its end only mdat is told: a cut video. */
async function topLevel(handle: FileHandle, fileBytes: number): Promise<Map<string, Range>> {
  const places = new Map<string, Range>();
  const header = Buffer.alloc(16);
  for (let at = 0; at + 8 <= fileBytes; ) {
    const { bytesRead } = await handle.read(header, 0, 16, at);
    const box = parseHeader(header.subarray(0, bytesRead), fileBytes - at);
    if (box.end < box.start || (at + box.end > fileBytes && box.type !== 'mdat')) break;
    if (!places.has(box.type)) places.set(box.type, { start: at + box.start, end: at + box.end });
    at += box.end;
  }
  return places;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** @param remaining bytes up to the end of the container: the size of a box that says 0. */
function parseHeader(bytes: Buffer, remaining: number): Range & { readonly type: string } {
  const size = bytes.readUInt32BE(0);
  const type = bytes.toString('latin1', 4, 8);
  if (size === 1) return { type, start: 16, end: Number(bytes.readBigUInt64BE(8)) };
  return { type, start: 8, end: size === 0 ? remaining : size };
}

/** A box's content, and how to get at the boxes inside. */
class Box {
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  children(from = 0): Map<string, Box> {
    const boxes = new Map<string, Box>();
    for (let at = from; at + 8 <= this.bytes.length; ) {
      const { type, start, end } = parseHeader(this.bytes.subarray(at), this.bytes.length - at);
      if (end < start) throw new RangeError(`box "${type}" of ${end} bytes`);
      if (!boxes.has(type)) boxes.set(type, new Box(this.bytes.subarray(at + start, at + end)));
      at += end;
    }
    return boxes;
  }

  find(...path: readonly string[]): Box | undefined {
    return path.reduce<Box | undefined>((box, type) => box?.children().get(type), this);
  }

  get(...path: readonly string[]): Box {
    const box = this.find(...path);
    if (!box) throw new RangeError(`no box "${path.join('/')}"`);
    return box;
  }

  u32(at: number): number {
    return this.bytes.readUInt32BE(at);
  }
}

function parseIndex(bytes: Buffer): Omit<Mp4Video, 'file' | 'fileBytes' | 'indexFirst'> {
  const trak = new Box(bytes).get('trak');
  const mdhd = trak.get('mdia', 'mdhd');
  const table = trak.get('mdia', 'minf', 'stbl');
  // A full box begins with its version and flags; stsd then counts its entries.
  const stsd = table.get('stsd').bytes;
  const sampleEntry = stsd.subarray(8, 8 + stsd.readUInt32BE(8));
  const stsz = table.get('stsz');
  const sizes = Uint32Array.from({ length: stsz.u32(8) }, (_, i) => stsz.u32(4) || stsz.u32(12 + 4 * i));
  const ctts = table.find('ctts');
  const stss = table.find('stss');
  const elst = trak.find('edts', 'elst');
  return {
    codec: sampleEntry.toString('latin1', 4, 8),
    width: sampleEntry.readUInt16BE(32),
    height: sampleEntry.readUInt16BE(34),
    timescale: mdhd.u32(mdhd.bytes[0] === 1 ? 20 : 12),
    sampleEntry,
    sizes,
    offsets: sampleOffsets(table, sizes),
    durations: runLengths(table.get('stts'), sizes.length),
    startTicks: (ctts ? ctts.bytes.readInt32BE(12) : 0) - (elst ? editStart(elst) : 0),
    presentationOrder: !ctts,
    keyframes: stss && Uint32Array.from({ length: stss.u32(4) }, (_, i) => stss.u32(8 + 4 * i) - 1),
  };
}

/** Ticks of the track that its first edit leaves out. */
function editStart(elst: Box): number {
  return elst.bytes[0] === 1 ? Number(elst.bytes.readBigInt64BE(16)) : elst.bytes.readInt32BE(12);
}

/** Chunks lie anywhere in the file; the samples of a chunk follow each other. */
function sampleOffsets(table: Box, sizes: Uint32Array): Float64Array {
  const wide = table.find('co64');
  const chunks = wide ?? table.get('stco');
  const chunkCount = chunks.u32(4);
  const stsc = table.get('stsc');
  const offsets = new Float64Array(sizes.length);
  let run = 0;
  let sample = 0;
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    if (run + 1 < stsc.u32(4) && stsc.u32(8 + 12 * (run + 1)) === chunk + 1) run++;
    let offset = wide ? Number(wide.bytes.readBigUInt64BE(8 + 8 * chunk)) : chunks.u32(8 + 4 * chunk);
    for (let left = stsc.u32(8 + 12 * run + 4); left > 0; left--) {
      offsets[sample] = offset;
      offset += sizes[sample++]!;
    }
  }
  if (sample !== sizes.length) throw new RangeError(`chunks hold ${sample} of ${sizes.length} frames`);
  return offsets;
}

function runLengths(stts: Box, frames: number): Uint32Array {
  const durations = new Uint32Array(frames);
  let frame = 0;
  for (let run = 0; run < stts.u32(4); run++) {
    const end = frame + stts.u32(8 + 8 * run);
    durations.fill(stts.u32(12 + 8 * run), frame, end);
    frame = end;
  }
  if (frame !== frames) throw new RangeError(`durations of ${frame} frames, sizes of ${frames}`);
  return durations;
}
