import type { LiveStreams } from '../schemas/live-streams.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import type { ObservedMessage } from '../schemas/message-observer.ts';
import type { RecordingControl } from '../schemas/recording-control.ts';
import { NANOS_PER_SEC } from '../schemas/time.ts';
import { advertisement, freeName, isDroppable, latchedDepth } from './channels.ts';
import type { ClientStream } from './client-stream.ts';
import type { AdvertisedChannel, ClientFrame, Subscription } from './protocol.ts';
import { RECORDING_TOPICS, type RecordingTopic } from './recording-topics.ts';

/** A recording session as a live preview sees it. */
export interface LiveRecording {
  readonly streams: LiveStreams;
  readonly control: RecordingControl;
}

/** What a client can subscribe to, and what starts and ends it. */
interface LiveChannel {
  readonly advertised: AdvertisedChannel;
  watch(subscriptionId: number): () => void;
}

/** Fast enough for a light that says "recording". */
const STATUS_MILLIS = 500;
/** A source that begins anew may send earlier times; less is disorder, or a burst that was held up. */
const RESTART_NANOS = 10n * NANOS_PER_SEC;
/** Streams tell the time; only where all are silent for so long does the clock itself. */
const SILENCE_NANOS = 2n * NANOS_PER_SEC;

/**
 * One client that looks at the robot while it is being recorded. Nothing is queued for it but what its
 * connection holds: a robot cannot wait, so what a slow client has no room for is left out and counted.
 */
export class LiveClient {
  readonly #stream: ClientStream;
  readonly #live: LiveRecording;
  readonly #channels = new Map<number, LiveChannel>();
  readonly #topics = new Set<string>();
  /** By subscription id: what ends it. */
  readonly #subscriptions = new Map<number, () => void>();
  readonly #ends: readonly (() => void)[];
  #trouble: string | undefined;
  #time = 0n;

  constructor(stream: ClientStream, live: LiveRecording) {
    this.#stream = stream;
    this.#live = live;
    stream.text({
      op: 'serverInfo',
      name: 'Kinescribe: live',
      capabilities: ['time', 'parameters'],
      metadata: { ROS_DISTRO: 'jazzy' },
      sessionId: `live ${crypto.randomUUID()}`,
    });
    for (const topic of RECORDING_TOPICS) this.#addRecordingTopic(topic);
    this.#ends = [
      live.streams.onChannel((channelKey, spec) => this.#addStream(channelKey, spec)),
      live.control.listen(() => this.#tellTrouble()),
    ];
    this.#tellTrouble();
  }

  close(): void {
    for (const end of [...this.#ends, ...this.#subscriptions.values()]) end();
    this.#subscriptions.clear();
  }

  handle(frame: ClientFrame): void {
    switch (frame.op) {
      case 'subscribe':
        for (const subscription of frame.subscriptions) this.#subscribe(subscription);
        return;
      case 'unsubscribe':
        for (const id of frame.subscriptionIds) {
          this.#subscriptions.get(id)?.();
          this.#subscriptions.delete(id);
        }
        return;
      case 'getParameters': {
        const parameters = [{ name: '/live.left_out', value: Object.fromEntries(this.#stream.leftOut) }];
        const { id } = frame;
        this.#stream.text({ op: 'parameterValues', parameters, ...(id !== undefined && { id }) });
        return;
      }
      default:
        // Clients ask for what they can, whatever was offered; only a wish to steer deserves an answer.
        if (frame.op === 'playbackControlRequest' || frame.op === 'serviceCallRequest') {
          this.#stream.status(
            'warning',
            'What is live cannot be played; open an episode with "?episode=<id>"',
          );
        }
    }
  }

  #subscribe({ id, channelId }: Subscription): void {
    const channel = this.#channels.get(channelId);
    if (!channel) this.#stream.status('error', `No channel has id ${channelId}`);
    else if (this.#subscriptions.has(id)) this.#stream.status('warning', `Subscription id ${id} is taken`);
    else if (this.#subscriptions.size >= 2 * this.#channels.size)
      this.#stream.status('error', 'Too many subscriptions');
    else this.#subscriptions.set(id, channel.watch(id));
  }

  #advertise(spec: ChannelSpec, watch: LiveChannel['watch']): void {
    const topic = freeName(spec.topic, this.#topics);
    this.#topics.add(topic);
    const advertised = { ...advertisement(spec), id: this.#channels.size + 1, topic };
    this.#channels.set(advertised.id, { advertised, watch });
    this.#stream.text({ op: 'advertise', channels: [advertised] });
  }

  #addStream(channelKey: number, spec: ChannelSpec): void {
    const isLatched = latchedDepth(spec.metadata) > 0;
    const tooFull = isLatched ? Number.POSITIVE_INFINITY : isDroppable(spec) ? 1 : 2;
    const send = (subscriptionId: number, { logTime, data }: ObservedMessage) => {
      if (this.#stream.fill > tooFull) this.#stream.leaveOut(spec.topic);
      else this.#send(subscriptionId, logTime, data);
    };
    this.#advertise(spec, (id) => this.#live.streams.watch(channelKey, (message) => send(id, message)));
  }

  #addRecordingTopic({ channel, encode }: RecordingTopic): void {
    this.#advertise(channel, (subscriptionId) => {
      const { control, streams } = this.#live;
      const tell = () => {
        const now = streams.clock.now();
        const time = now - this.#time > SILENCE_NANOS ? now : this.#time;
        if (this.#stream.fill <= 2) this.#send(subscriptionId, time, encode(control.status(), time));
      };
      const timer = setInterval(tell, STATUS_MILLIS);
      const endListening = control.listen(tell);
      tell();
      return () => {
        clearInterval(timer);
        endListening();
      };
    });
  }

  #send(subscriptionId: number, logTime: bigint, data: Uint8Array): void {
    if (logTime > this.#time || this.#time - logTime > RESTART_NANOS) {
      this.#time = logTime;
      this.#stream.announce(logTime);
    }
    this.#stream.message(subscriptionId, logTime, data);
  }

  #tellTrouble(): void {
    const { trouble } = this.#live.control.status();
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble !== undefined) this.#stream.status('warning', trouble);
  }
}
