import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { type Mp4Video, readMp4 } from '../mp4-reader.ts';
import { isKeyframe, type VideoCodec } from '../video-packets.ts';
import type { ForeignEpisode } from './lerobot-dataset.ts';

/** How the packets of a video become messages that Foxglove's CompressedVideo allows. */
export interface PacketLayout {
  readonly codec: VideoCodec;
  /** Of the length before each unit. */
  readonly lengthBytes: number;
  /** Parameter sets, which mp4 keeps apart and a stream holds before each keyframe; Annex B. */
  readonly parameters: Buffer;
}

const START_CODE = Buffer.of(0, 0, 0, 1);
/** Header of a box and fixed fields of a visual sample entry (ISO/IEC 14496-12, 12.1.3). */
const ENTRY_BYTES = 8 + 78;

/** Undefined for other codecs, and for pictures stored in another order than shown. */
export function packetLayout({ codec, sampleEntry, presentationOrder }: Mp4Video): PacketLayout | undefined {
  if (!presentationOrder) return undefined;
  if (codec === 'avc1' || codec === 'avc3') return avcLayout(boxOf(sampleEntry, 'avcC'));
  if (codec === 'hvc1' || codec === 'hev1') return hevcLayout(boxOf(sampleEntry, 'hvcC'));
  return undefined;
}

/** The packets of one camera of a dataset as they are, episode by episode. */
export class CameraPackets {
  readonly #directory: string;
  readonly #key: string;

  constructor(directory: string, key: string) {
    this.#directory = directory;
    this.#key = key;
  }

  /** @yields the packet of each frame, in Annex B. @throws {DatasetError} when the video does not hold them so. */
  async *of(episode: ForeignEpisode): AsyncGenerator<Uint8Array> {
    const { file, firstFrame } = episode.video(this.#key);
    const video = await readMp4(join(this.#directory, file));
    const layout = packetLayout(video);
    const { sizes, offsets } = video;
    const end = firstFrame + episode.frames;
    if (!layout || end > sizes.length) {
      const found = layout ? `it has ${sizes.length} frames` : `it is "${video.codec}"`;
      throw new DatasetError(`Cannot copy packets ${firstFrame} to ${end} of video "${file}": ${found}.`);
    }
    await using handle = await open(video.file);
    for (let frame = firstFrame; frame < end; frame++) {
      const stored = Buffer.alloc(sizes[frame]!);
      await handle.read(stored, 0, stored.length, offsets[frame]!);
      const units = annexB(stored, layout.lengthBytes);
      const isKey = isKeyframe({ data: units, format: layout.codec });
      if (frame === firstFrame && !isKey) {
        throw new DatasetError(
          `Cannot copy packets of video "${file}": frame ${frame}, an episode's first, is no keyframe. Use "--video jpeg".`,
        );
      }
      yield isKey ? Buffer.concat([layout.parameters, units]) : units;
    }
  }

  async close(): Promise<void> {}
}

function boxOf(sampleEntry: Buffer, type: string): Buffer {
  for (let at = ENTRY_BYTES; at + 8 <= sampleEntry.length; ) {
    const end = at + sampleEntry.readUInt32BE(at);
    if (sampleEntry.toString('latin1', at + 4, at + 8) === type) return sampleEntry.subarray(at + 8, end);
    if (end <= at) break;
    at = end;
  }
  throw new DatasetError(`Cannot read the video's parameters: no box "${type}".`);
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). */
function avcLayout(record: Buffer): PacketLayout {
  const units: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    for (let left = record.readUInt8(at++) & mask; left > 0; left--) at = takeUnit(record, at, units);
  }
  return { codec: 'h264', lengthBytes: (record.readUInt8(4) & 3) + 1, parameters: Buffer.concat(units) };
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1). */
function hevcLayout(record: Buffer): PacketLayout {
  const units: Buffer[] = [];
  let at = 23;
  for (let arrays = record.readUInt8(22); arrays > 0; arrays--) {
    const count = record.readUInt16BE(at + 1);
    at += 3;
    for (let left = count; left > 0; left--) at = takeUnit(record, at, units);
  }
  return { codec: 'h265', lengthBytes: (record.readUInt8(21) & 3) + 1, parameters: Buffer.concat(units) };
}

/** @returns where the next one begins. */
function takeUnit(record: Buffer, at: number, units: Buffer[]): number {
  const end = at + 2 + record.readUInt16BE(at);
  units.push(START_CODE, record.subarray(at + 2, end));
  return end;
}

/** Units behind start codes instead of lengths. */
function annexB(stored: Buffer, lengthBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + lengthBytes <= stored.length; ) {
    const start = at + lengthBytes;
    const end = start + stored.readUIntBE(at, lengthBytes);
    parts.push(START_CODE, stored.subarray(start, end));
    at = end;
  }
  return Buffer.concat(parts);
}
