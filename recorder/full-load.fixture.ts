import type { ChannelSpec } from '../schemas/message.ts';
import { MonotonicClock, secsToNanos } from '../schemas/time.ts';
import type { Source, SourceSink } from './source.ts';

interface Stream {
  readonly spec: ChannelSpec;
  readonly rateHz: number;
  readonly bytes: number;
}

const stream = (topic: string, type: string, rateHz: number, bytes: number): Stream => ({
  spec: {
    topic,
    messageEncoding: 'cdr',
    schema: { name: type, encoding: 'ros2msg', data: new TextEncoder().encode('uint8[] data\n') },
    metadata: new Map(),
  },
  rateHz,
  bytes,
});

/** Six compressed cameras of large pictures, an arm at 1 kHz: 166 MB/s in 1,180 messages per second. */
export const FULL_LOAD: readonly Stream[] = [
  ...Array.from({ length: 6 }, (_, i) =>
    stream(`/camera_${i}/compressed`, 'sensor_msgs/msg/CompressedImage', 30, 920_000),
  ),
  stream('/joint_states', 'sensor_msgs/msg/JointState', 1000, 400),
];

/** Messages are made this often; a burst is what a busy robot sends in that time. */
const BEAT_MILLIS = 5;

/** A source that sends {@link FULL_LOAD} in real time, and never waits for the recorder. */
export class FullLoadSource implements Source {
  readonly name = 'full-load';
  readonly clock = new MonotonicClock();
  sentBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  async start(sink: SourceSink): Promise<void> {
    FULL_LOAD.forEach(({ spec }, key) => {
      sink.channel(key, spec);
    });
    const noise = FULL_LOAD.map(({ bytes }) => noiseOf(bytes));
    const startTime = this.clock.now();
    const sent = FULL_LOAD.map(() => 0);
    this.#timer = setInterval(() => {
      const elapsed = this.clock.now() - startTime;
      FULL_LOAD.forEach(({ rateHz, bytes }, channelKey) => {
        const due = Number((elapsed * BigInt(rateHz)) / secsToNanos(1));
        for (; sent[channelKey]! < due; sent[channelKey]!++) {
          const data = noise[channelKey]!.slice();
          new DataView(data.buffer).setUint32(0, sent[channelKey]!);
          sink.message({ channelKey, logTime: this.clock.now(), data });
          this.sentBytes += bytes;
        }
      });
    }, BEAT_MILLIS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }
}

/** What no compression makes smaller, as in pictures that are compressed already. */
function noiseOf(bytes: number): Uint8Array<ArrayBuffer> {
  const noise = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  return noise;
}
