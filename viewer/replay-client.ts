import type { Clock } from '../schemas/time.ts';
import type { ClientStream } from './client-stream.ts';
import { EpisodeReplay, type EpisodeReplayOptions } from './episode-replay.ts';
import type { PlaybackGroup } from './playback-group.ts';
import type { ClientFrame } from './protocol.ts';
import type { ReplayedEpisode, ReplayedEpisodes } from './replayed-episodes.ts';

export interface ReplayClientOptions
  extends Pick<EpisodeReplayOptions, 'subprotocol' | 'playsAlone' | 'failed'> {
  readonly clock: Clock & EpisodeReplayOptions['clock'];
  readonly episodes: ReplayedEpisodes;
  readonly groupOf: (episodeId: string) => PlaybackGroup;
}

/** A client that begins anew builds its panels anew; what it gets meanwhile is lost on it. */
const SETTLING_MILLIS = 2000;
/** Topic of the labels, which change while an episode is looked at. */
const LABELS_TOPIC = '/kinescribe/labels';

/**
 * One client and the episode it looks at. Each plays for itself: two people look at different moments of one
 * episode, unless their playbacks go together. Another episode is another session on the same connection.
 */
export class ReplayClient {
  readonly #stream: ClientStream;
  readonly #options: ReplayClientOptions;
  readonly #endListening: () => void;
  #episode: ReplayedEpisode;
  #replay: EpisodeReplay;
  /** Changes of the episode, one after another. */
  #tail: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Channel ids of one connection are never used twice: a late frame may still mean an earlier episode. */
  #usedChannelIds = 0;
  #settling: NodeJS.Timeout | undefined;

  /** @param episode to begin with; the client gives it back. */
  constructor(stream: ClientStream, episode: ReplayedEpisode, options: ReplayClientOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#episode = episode;
    this.#replay = this.#play(episode);
    this.#endListening = options.episodes.listen((episodeId) => {
      if (episodeId === this.#episode.id) this.#replay.refresh([LABELS_TOPIC]);
    });
  }

  handle(frame: ClientFrame): void {
    this.#replay.handle(frame);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#settling);
    this.#endListening();
    await this.#tail;
    await this.#end();
  }

  #play(opened: ReplayedEpisode): EpisodeReplay {
    const { episodes, groupOf } = this.#options;
    const isFirst = this.#usedChannelIds === 0;
    const channels = opened.channels.map(({ advertised, ...channel }) => ({
      ...channel,
      advertised: { ...advertised, id: advertised.id + this.#usedChannelIds },
    }));
    this.#usedChannelIds += channels.length;
    const episode = { ...opened, channels };
    return new EpisodeReplay(this.#stream, episode, {
      isFirst,
      ...this.#options,
      group: groupOf(episode.id),
      episodeIds: () => episodes.ids(),
      open: (episodeId) => {
        this.#tail = this.#tail.then(() => this.#open(episodeId)).catch(this.#options.failed);
      },
    });
  }

  async #open(episodeId: string): Promise<void> {
    if (this.#isClosed) return;
    try {
      const episode = await this.#options.episodes.open(episodeId);
      if (!episode) throw new RangeError(`there is no episode "${episodeId}"`);
      await this.#end();
      this.#replay.takeBack();
      this.#episode = episode;
      const replay = this.#play(episode);
      this.#replay = replay;
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => replay.refresh(), SETTLING_MILLIS);
    } catch (error) {
      this.#stream.status('error', `Cannot open "${episodeId}": ${(error as Error).message}`);
    }
  }

  async #end(): Promise<void> {
    this.#replay.close();
    await this.#replay.finished;
    await this.#episode[Symbol.asyncDispose]();
  }
}
