import type { VideoBackend } from './video-encoder.ts';
import { ENCODING } from './video-encoding.ts';

/** What a dataset says of a video. */
export interface VideoFacts {
  readonly codec: 'av1' | 'h264' | 'hevc';
  /** FFmpeg's name; the one with a j has luma from 0 to 255. */
  readonly pixelFormat: 'yuv420p' | 'yuvj420p';
  /** Most frames from one keyframe to the next: what a loader decodes at worst to show one. */
  readonly gop: number;
  /** Frames before the episode's first, which a decoder needs to show it. */
  readonly lead: number;
  /** Of videos that were encoded here. */
  readonly crf?: number;
  readonly preset?: number | string;
}

/** Of a video that was encoded. */
export function encodedFacts(encoder: VideoBackend['encoder']): VideoFacts {
  return { pixelFormat: 'yuv420p', lead: 0, ...ENCODING[encoder] };
}

/** Frames from each keyframe to the next or the end, the most of them. */
export function longestGroup(keyframes: readonly number[], frames: number): number {
  return Math.max(0, ...keyframes.map((start, i) => (keyframes[i + 1] ?? frames) - start));
}

/** What is true of all videos: in what they differ is left out, of groups of pictures the longest counts. */
export function commonFacts(videos: readonly VideoFacts[]): Partial<VideoFacts> {
  const [first, ...others] = videos;
  if (!first) return {};
  const agreed = Object.entries(first).filter(([name, value]) =>
    others.every((each) => each[name as keyof VideoFacts] === value),
  );
  return { ...Object.fromEntries(agreed), gop: Math.max(...videos.map(({ gop }) => gop)) };
}
