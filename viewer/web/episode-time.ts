import type { EpisodeFacts } from '../api.ts';

/** Instants of an episode and seconds from its start. */
export interface EpisodeTime {
  readonly durationSecs: number;
  /** Seconds from the start, held within the episode. */
  secsAt(time: string | bigint): number;
  /** Nanoseconds since the epoch, as labels have them. */
  timeAt(secs: number): bigint;
}

export function episodeTime({ startTime, durationSecs }: EpisodeFacts): EpisodeTime {
  const start = BigInt(startTime);
  const held = (secs: number) => Math.min(Math.max(secs, 0), durationSecs);
  return {
    durationSecs,
    secsAt: (time) => held(Number(BigInt(time) - start) / 1e9),
    timeAt: (secs) => start + BigInt(Math.round(held(secs) * 1e9)),
  };
}
