import { fetchAsset } from './assets.ts';
import type { ClientStream } from './client-stream.ts';
import { connectionGraph } from './connection-graph.ts';
import { contractOf } from './episode-facts.ts';
import type { ClientFrame } from './protocol.ts';
import { encodeAssetAnswer } from './protocol-server.ts';
import { PublishedLabels } from './published-labels.ts';
import type { ReplayedEpisode } from './replayed-episodes.ts';
import { RequestQueue } from './request-queue.ts';

/** Frames that need the disk, whatever is being played. */
export type EpisodeRequest = Extract<
  ClientFrame,
  { op: 'advertise' | 'unadvertise' | 'messageData' | 'fetchAsset' | 'subscribeConnectionGraph' }
>;

/** What one client asks of an episode beside its playback: assets, connection graph, labels to be added. */
export class EpisodeRequests {
  readonly #stream: ClientStream;
  readonly #episode: ReplayedEpisode;
  readonly #labels: PublishedLabels;
  readonly #queue = new RequestQueue();

  constructor(stream: ClientStream, episode: ReplayedEpisode) {
    this.#stream = stream;
    this.#episode = episode;
    this.#labels = new PublishedLabels(stream, episode.file);
  }

  /** @param shownTime the instant that the client looks at. */
  handle(frame: EpisodeRequest, shownTime: bigint): void {
    switch (frame.op) {
      case 'advertise':
        this.#labels.advertised(frame.channels);
        return;
      case 'unadvertise':
        this.#labels.unadvertised(frame.channelIds);
        return;
      case 'messageData': {
        const { channelId } = frame;
        const payload = frame.payload.slice(); // the frame's buffer is used again
        this.#inTurn(() => this.#labels.published({ channelId, payload }, shownTime));
        return;
      }
      case 'fetchAsset':
        this.#inTurn(() => this.#sendAsset(frame.requestId, frame.uri));
        return;
      case 'subscribeConnectionGraph':
        this.#inTurn(() => this.#sendGraph());
        return;
      default:
        frame satisfies never;
    }
  }

  #inTurn(request: () => Promise<void>): void {
    const failed = (error: unknown) => this.#stream.status('error', messageOf(error));
    const isTaken = this.#queue.add(() => request().catch(failed));
    if (!isTaken) this.#stream.status('error', 'Too many requests at once');
  }

  async #sendAsset(requestId: number, uri: string): Promise<void> {
    const answer = await fetchAsset(this.#episode.reader, uri).then(
      (data) => ({ requestId, data }),
      (error: unknown) => ({ requestId, fault: messageOf(error) }),
    );
    this.#stream.binary(encodeAssetAnswer(answer));
  }

  async #sendGraph(): Promise<void> {
    const contract = await contractOf(this.#episode.reader);
    this.#stream.text(connectionGraph(this.#episode, contract));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
