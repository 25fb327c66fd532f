import { decodeEvent, EVENTS_TOPIC } from '../../schemas/episode-events.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import { currentLabels, readLabels } from '../../schemas/labels.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { AddedMessage, ReplayAddition } from '../../schemas/replay-addition.ts';

const text = new TextEncoder();
const string = { type: 'string' };

export const LABELS_CHANNEL: ChannelSpec = {
  topic: '/kinescribe/labels',
  messageEncoding: 'json',
  schema: {
    name: 'kinescribe.Label',
    encoding: 'jsonschema',
    data: text.encode(
      JSON.stringify({
        type: 'object',
        properties: { text: string, active: string, kind: string, author: string },
      }),
    ),
  },
  metadata: new Map(),
};

/** Something that is said of an instant. */
interface Said {
  readonly logTime: bigint;
  readonly text: string;
  readonly kind: string;
  readonly author: string;
  /** A span that begins or ends here. */
  readonly begins?: string;
  readonly ends?: string;
}

/**
 * What was said of an episode, where it was said of: marks and kept ranges with their ends, the operator's
 * controls, and at the start what holds for all of it. Labels are read anew each time: they change while an
 * episode is looked at.
 */
export class LabelEvents implements ReplayAddition {
  readonly channels = [LABELS_CHANNEL];
  readonly #reader: EpisodeReader;
  #controls: Promise<readonly Said[]> | undefined;

  constructor(reader: EpisodeReader) {
    this.#reader = reader;
  }

  async *messages({
    startTime,
  }: Parameters<ReplayAddition['messages']>[0]): AsyncGenerator<AddedMessage, void> {
    yield* (await this.#all()).filter(({ logTime }) => logTime >= startTime);
  }

  async latestBefore(time: bigint): Promise<readonly AddedMessage[]> {
    return (await this.#all()).filter(({ logTime }) => logTime <= time).slice(-1);
  }

  async #all(): Promise<readonly AddedMessage[]> {
    this.#controls ??= controls(this.#reader);
    const said = [...(await this.#controls), ...(await labels(this.#reader))];
    said.sort((a, b) => Number(a.logTime - b.logTime));
    const active: string[] = [];
    return said.map(({ logTime, begins, ends, ...message }) => {
      if (begins !== undefined) active.push(begins);
      if (ends !== undefined) active.splice(active.indexOf(ends), 1);
      const data = text.encode(JSON.stringify({ ...message, active: active.join(', ') }));
      return { topic: LABELS_CHANNEL.topic, logTime, data };
    });
  }
}

/** What the operator did in the take; the file never changes. */
async function controls(reader: EpisodeReader): Promise<readonly Said[]> {
  const said: Said[] = [];
  for await (const { logTime, data } of reader.messages({ topics: [EVENTS_TOPIC] })) {
    const { event, by, text = '' } = decodeEvent(data);
    said.push({ logTime, kind: event, author: by, text: text ? `${event}: ${text}` : event });
  }
  return said;
}

async function labels(reader: EpisodeReader): Promise<readonly Said[]> {
  const { outcome, quality, note, decision, trim, marks } = currentLabels(await readLabels(reader.file));
  const whole = [outcome, quality, decision, note].flatMap((entry) =>
    entry ? [{ ...entry, text: `${entry.label.kind} ${entry.label.value}` }] : [],
  );
  const said: Said[] = whole.map(({ author, label, text }) => ({
    logTime: reader.startTime,
    ...{ kind: label.kind, author, text },
  }));
  for (const { author, label } of marks) {
    said.push(...span(label, { kind: 'mark', author, name: label.name }));
  }
  for (const range of trim?.label.ranges ?? []) {
    said.push(...span(range, { kind: 'trim', author: trim!.author, name: 'kept' }));
  }
  return said;
}

function span(
  { startTime, endTime }: { readonly startTime: bigint; readonly endTime: bigint },
  { name, ...of }: { readonly kind: string; readonly author: string; readonly name: string },
): readonly Said[] {
  if (startTime === endTime) return [{ ...of, logTime: startTime, text: name }];
  return [
    { ...of, logTime: startTime, text: `${name} begins`, begins: name },
    { ...of, logTime: endTime, text: `${name} ends`, ends: name },
  ];
}
