import type { ChannelSpec } from '../schemas/message.ts';
import { payloads, type TestStream } from './ros-test-streams.ts';
import type { SourceMessage, SourceSink, SourceWarning } from './source.ts';

interface StreamName {
  readonly topic: string;
  readonly type: string;
}

/** What a source delivered, by topic and type. */
export class ReceivedMessages implements SourceSink {
  readonly channels = new Map<number, ChannelSpec>();
  readonly messages: SourceMessage[] = [];
  readonly warnings: SourceWarning[] = [];
  /** Topics whose last publisher left, or came back. */
  readonly offers: [string | undefined, boolean][] = [];
  failure: Error | undefined;

  channel(key: number, spec: ChannelSpec): void {
    this.channels.set(key, spec);
  }

  message(message: SourceMessage): void {
    this.messages.push(message);
  }

  offered(channelKey: number, isOffered: boolean): void {
    this.offers.push([this.channels.get(channelKey)?.topic, isOffered]);
  }

  async room(): Promise<void> {}

  failed(error: Error): void {
    this.failure = error;
  }

  ended(): void {
    throw new TypeError('A ROS graph has no end.');
  }

  warned(warning: SourceWarning): void {
    this.warnings.push(warning);
  }

  channelOf({ topic, type }: StreamName): ChannelSpec | undefined {
    return [...this.channels.values()].find((spec) => spec.topic === topic && spec.schema?.name === type);
  }

  of(stream: StreamName): readonly SourceMessage[] {
    const channel = this.channelOf(stream);
    return this.messages.filter(({ channelKey }) => this.channels.get(channelKey) === channel);
  }

  warning(kind: SourceWarning['kind']): SourceWarning | undefined {
    return this.warnings.find((warning) => warning.kind === kind);
  }

  /** What did not come as the stream sends it: in order, byte by byte, padding behind a message aside. */
  async differences(stream: TestStream): Promise<readonly string[]> {
    const payload = await payloads(stream);
    const messages = this.of(stream);
    const found = messages.length === stream.count ? [] : [`${messages.length} of ${stream.count} messages`];
    for (const [index, { data }] of messages.entries()) {
      const sent = payload(index);
      const isAlone = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength;
      const isPadded = data.byteLength - sent.byteLength < 4; // the middleware fills the last word
      // Encapsulation options are the middleware's own.
      const isEqual = Buffer.compare(data.subarray(4, sent.byteLength), sent.subarray(4)) === 0;
      if (!isAlone || !isPadded || !isEqual) found.push(`message ${index} of "${stream.topic}" differs`);
    }
    return found;
  }
}
