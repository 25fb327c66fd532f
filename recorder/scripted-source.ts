import type { ChannelSpec } from '../schemas/message.ts';
import type { Clock } from '../schemas/time.ts';
import type { Source, SourceMessage, SourceSink } from './source.ts';

/** A source that a test drives by hand, with a clock that stands still until it is set. */
export class ScriptedSource implements Source {
  readonly name = 'scripted';
  /** Set `steppedNanos` to what a step of the system clock would be. */
  readonly clock: Clock & { time: bigint; steppedNanos: bigint };
  readonly #channels: readonly ChannelSpec[];
  #sink: SourceSink | undefined;

  /** Channel keys are the places in `channels`. */
  constructor(channels: readonly ChannelSpec[], startTime: bigint) {
    this.#channels = channels;
    const clock = {
      time: startTime,
      steppedNanos: 0n,
      now: () => clock.time,
      stepNanos: () => clock.steppedNanos,
    };
    this.clock = clock;
  }

  async start(sink: SourceSink): Promise<void> {
    this.#sink = sink;
    this.#channels.forEach((spec, key) => {
      sink.channel(key, spec);
    });
  }

  async stop(): Promise<void> {
    this.#sink = undefined;
  }

  /** Says something of a channel or of the machine at the clock's instant. */
  tell(say: (sink: SourceSink) => void): void {
    if (this.#sink) say(this.#sink);
  }

  /** Sets the clock to the message's log time and delivers it. */
  send(message: Omit<SourceMessage, 'data'> & { data: Uint8Array }): void {
    this.clock.time = message.logTime;
    this.#sink?.message({ ...message, data: message.data.slice() as Uint8Array<ArrayBuffer> });
  }
}
