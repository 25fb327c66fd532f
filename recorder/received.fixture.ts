import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
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
  /** Why a topic's definition is disputed, or that it is no more. */
  readonly disputes: [string, string | undefined][] = [];
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

  disputed(topic: string, why: string | undefined): void {
    this.disputes.push([topic, why]);
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

  /** Waits for the streams' channels, and then for the middleware to connect their two ends. */
  async connected(...streams: readonly TestStream[]): Promise<void> {
    await vi.waitFor(
      () => {
        for (const stream of streams) expect(this.channelOf(stream), stream.topic).toBeDefined();
      },
      { timeout: 10_000 },
    );
    await delay(300);
  }

  /** Waits until all messages of the streams have come, as they were sent. */
  async complete(...streams: readonly TestStream[]): Promise<void> {
    for (const stream of streams) {
      await vi.waitFor(() => expect(this.of(stream).length, stream.topic).toBe(stream.count), {
        timeout: 10_000,
      });
      expect(await this.differences(stream)).toEqual([]);
    }
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
