import { join } from 'node:path';
import { DatasetError } from '../../schemas/errors.ts';
import { type Mp4Video, readMp4 } from '../mp4-reader.ts';
import { longestGroup } from '../video-facts.ts';
import type { Faults } from './faults.ts';
import { pathOf } from './layout.ts';
import { filesBelow, type LerobotFeature, type LerobotInfo, type LerobotMetadata } from './read-metadata.ts';

/** How mp4 names what `video.codec` names. */
const CODECS: Readonly<Record<string, string>> = { av01: 'av1', avc1: 'h264', hvc1: 'hevc', hev1: 'hevc' };

/**
 * Checks the videos against `meta/episodes`: each file holds the frames of its episodes one after the other
 * on an exact grid. LeRobot asks for frame round((from_timestamp + t) × fps) and takes what it gets, if it
 * lies within 1e-4 s of the time asked for.
 */
export async function verifyVideos(
  directory: string,
  { info, episodes }: LerobotMetadata,
  faults: Faults,
): Promise<void> {
  for (const [key, feature] of Object.entries(info.features)) {
    if (feature.dtype !== 'video') continue;
    const frames = new Map<string, number>();
    const leads = new Map<string, Lead[]>();
    for (const [episode, entry] of episodes.entries()) {
      const chunkIndex = entry.integer(`videos/${key}/chunk_index`);
      const fileIndex = entry.integer(`videos/${key}/file_index`);
      const file = pathOf(info.video_path ?? '', { chunkIndex, fileIndex }, key);
      const end = frames.get(file) ?? 0;
      // A copied video may begin before its episode.
      const from = Math.max(end, Math.round(entry.integer(`videos/${key}/from_timestamp`) * info.fps));
      const to = from + entry.length;
      if (from > end) leads.set(file, [...(leads.get(file) ?? []), { from: end, to: from }]);
      const grid = { from_timestamp: from / info.fps, to_timestamp: to / info.fps };
      for (const [name, seconds] of Object.entries(grid)) {
        const column = `videos/${key}/${name}`;
        if (Math.abs(entry.integer(column) - seconds) < 1e-9) continue;
        faults.addRow(
          'meta/episodes',
          episode,
          column,
          `${column} is ${entry.integer(column)}, it must be ${seconds}.`,
        );
      }
      frames.set(file, to);
    }
    for (const [file, count] of frames) {
      await verifyVideo(directory, { file, count, leads: leads.get(file) ?? [], feature, info, faults });
    }
    for (const file of await filesBelow(directory, `videos/${key}`, '.mp4')) {
      if (!frames.has(file)) faults.add(file, 'no episode lies in it.');
    }
  }
}

/** Frames before an episode's first, half open: what a decoder needs to show it. */
interface Lead {
  readonly from: number;
  readonly to: number;
}

export interface VideoExpectation {
  readonly file: string;
  readonly count: number;
  /** Frames of no episode. @default there are none */
  readonly leads?: readonly Lead[];
  readonly feature: LerobotFeature;
  readonly info: Pick<LerobotInfo, 'fps'>;
  readonly faults: Faults;
}

/** Checks one video file. */
export async function verifyVideo(directory: string, expectation: VideoExpectation): Promise<void> {
  const { file, faults } = expectation;
  try {
    for (const fault of videoFaults(await readMp4(join(directory, file)), expectation))
      faults.add(file, fault);
  } catch (error) {
    if (error instanceof DatasetError) faults.add(file, error.message);
    else faults.add(file, `cannot be opened (${error}).`);
  }
}

function* videoFaults(
  video: Mp4Video,
  { count, leads = [], feature, info: { fps } }: VideoExpectation,
): Generator<string> {
  const { sizes, offsets, durations, timescale, width, height } = video;
  if (sizes.length !== count) yield `holds ${sizes.length} frames, its episodes have ${count}.`;
  const uneven = durations.findIndex((ticks) => ticks * fps !== timescale);
  if (uneven >= 0) {
    yield `frame ${uneven} lasts ${durations[uneven]}/${timescale} s, every frame must last exactly 1/${fps} s.`;
  }
  if (video.startTicks !== 0)
    yield `its first frame is shown at ${video.startTicks}/${timescale} s instead of 0.`;
  if (!video.presentationOrder) yield 'its frames are not stored in the order in which they are shown.';
  if (!video.indexFirst) yield 'its index lies behind the frames; it must lie before them.';
  const size = [height, width, 3];
  if (size.some((n, i) => n !== feature.shape[i])) {
    yield `shows ${width} × ${height} pixels, meta/info.json declares shape [${feature.shape.join(', ')}].`;
  }
  const codec = CODECS[video.codec] ?? video.codec;
  const declared = feature.info?.['video.codec'];
  if (declared !== undefined && codec !== declared) yield `is ${codec}, meta/info.json says ${declared}.`;
  const starts = [...(video.keyframes ?? sizes.keys())];
  for (const { from, to } of leads) {
    const needed = starts.findLast((start) => start <= to);
    if (needed !== from) yield `its frames ${from} to ${to - 1} belong to no episode.`;
  }
  const group = longestGroup(starts, sizes.length);
  const g = feature.info?.['video.g'];
  if (typeof g === 'number' && group > g) {
    yield `has ${group} frames from one keyframe to the next, meta/info.json says ${g}.`;
  }
  const cut = sizes.findIndex((bytes, i) => offsets[i]! + bytes > video.fileBytes);
  if (cut >= 0)
    yield `frame ${cut} lies beyond the end of the file: it was cut off at byte ${video.fileBytes}.`;
}
