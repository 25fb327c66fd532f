import type { EpisodeFacts } from '../api.ts';
import type { AdvertisedChannel } from '../protocol.ts';
import { unreadableReason } from './decoders.ts';

interface Props {
  readonly facts: EpisodeFacts;
  readonly channels: readonly AdvertisedChannel[];
}

/** Streams that the page cannot read, and why: what is not shown is not lost. */
export function Undrawn({ facts, channels }: Props) {
  const topics = new Set(facts.streams.map(({ topic }) => topic));
  const unread = channels.flatMap((channel) => {
    const reason = topics.has(channel.topic) ? unreadableReason(channel) : undefined;
    return reason ? [{ topic: channel.topic, reason }] : [];
  });
  if (unread.length === 0) return null;
  return (
    <details class="undrawn">
      <summary>
        {unread.length} {unread.length === 1 ? 'stream is' : 'streams are'} recorded but not drawn here
      </summary>
      <ul>
        {unread.map(({ topic, reason }) => (
          <li key={topic}>
            {topic}: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
