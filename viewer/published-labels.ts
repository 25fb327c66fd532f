import { appendLabel } from '../schemas/labels.ts';
import type { ClientStream } from './client-stream.ts';
import type { ClientChannel } from './protocol.ts';
import { PUBLISH_TOPIC, publishedLabel } from './published-label.ts';

/** What one client publishes as labels of the episode that it looks at. */
export class PublishedLabels {
  readonly #stream: ClientStream;
  readonly #file: string;
  /** The client's channels on the topic; its others are for robots. */
  readonly #channels = new Map<number, ClientChannel>();

  constructor(stream: ClientStream, file: string) {
    this.#stream = stream;
    this.#file = file;
  }

  advertised(channels: readonly ClientChannel[]): void {
    for (const channel of channels) {
      if (channel.topic !== PUBLISH_TOPIC) continue;
      if (channel.encoding === 'json') this.#channels.set(channel.id, channel);
      else this.#stream.status('error', `${PUBLISH_TOPIC} takes JSON, found "${channel.encoding}"`);
    }
  }

  unadvertised(channelIds: readonly number[]): void {
    for (const id of channelIds) this.#channels.delete(id);
  }

  /** @param shownTime the instant that the client looks at. */
  async published(
    { channelId, payload }: { readonly channelId: number; readonly payload: Uint8Array },
    shownTime: bigint,
  ): Promise<void> {
    if (!this.#channels.has(channelId)) return;
    const statement = publishedLabel(payload, shownTime);
    if ('fault' in statement) {
      this.#stream.status('error', statement.fault);
      return;
    }
    try {
      const { id, ...said } = statement;
      await appendLabel(this.#file, { ...said, ...(id && { id }), time: new Date().toISOString() });
      this.#stream.status('info', `Label added: ${statement.label.kind}`);
    } catch (error) {
      this.#stream.status('error', `The label was not stored: ${(error as Error).message}`);
    }
  }
}
