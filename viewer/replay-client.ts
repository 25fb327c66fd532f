import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { ReplayChannel } from './channels.ts';
import { greeting } from './greeting.ts';
import { type PlaybackChange, type PlaybackClock, type PlaybackEvent, Player } from './player.ts';
import {
  type ClientFrame,
  type PlaybackState,
  type ServiceCall,
  STATUS_LEVELS,
  type Subprotocol,
  type Subscription,
} from './protocol.ts';
import { parseClientFrame } from './protocol-parse.ts';
import {
  encodeMessageData,
  encodePlaybackState,
  encodeServerText,
  encodeServiceCallResponse,
  encodeTime,
} from './protocol-server.ts';
import { changeOfParameters, changeOfService, replayParameters } from './replay-controls.ts';
import type { Connection, ConnectionHandlers } from './websocket.ts';

export interface ReplayClientOptions {
  readonly subprotocol: Subprotocol;
  readonly episodeId: string;
  readonly reader: EpisodeReader;
  readonly channels: readonly ReplayChannel[];
  readonly clock: PlaybackClock;
  /** Plays at once and over again: for clients without a playback bar. */
  readonly playsAlone: boolean;
  /** Bytes queued for this client above which pictures are left out; at twice as much the playback waits. */
  readonly highWaterBytes: number;
  /** The episode could not be read on; the connection is closing. */
  readonly failed: (error: unknown) => void;
}

/** Time between two words on the same trouble, and between two updates of the playback's parameters. */
const STATUS_PERIOD_NANOS = 2_500_000_000n;
const PARAMETER_PERIOD_NANOS = 500_000_000n;
/** Clients know this text and explain it. */
const SLOW_CLIENT = 'Send buffer limit reached';
const text = new TextEncoder();

/**
 * One client and its own playback. Each connection plays for itself: two people look at different moments
 * of one episode, and a slow client slows nobody but itself. Everything a client gets passes through one
 * ordered stream, so a Time always comes before the messages it belongs to.
 */
export class ReplayClient implements ConnectionHandlers {
  /** Resolves when nothing of the episode is read any more. */
  readonly finished: Promise<void>;
  readonly #connection: Connection;
  readonly #options: ReplayClientOptions;
  readonly #player: Player;
  readonly #channels: ReadonlyMap<number, ReplayChannel>;
  /** By subscription id. */
  readonly #subscriptions = new Map<number, ReplayChannel>();
  readonly #watchedParameters = new Set<string>();
  /** Lichtblick speaks foxglove.sdk.v1 but knows no PlaybackState: only who asks for control is told. */
  #wantsStates = false;
  #announcedTime: bigint | undefined;
  #droppedMessages = 0;
  #slowStatusTime: bigint | undefined;
  #parametersTime = 0n;

  constructor(connection: Connection, options: ReplayClientOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#channels = new Map(options.channels.map((channel) => [channel.advertised.id, channel]));
    const depths = Map.groupBy(options.channels, ({ topic }) => topic);
    this.#player = new Player(options.reader, {
      clock: options.clock,
      latchedDepth: (topic) =>
        depths.get(topic)?.reduce((depth, { latchedDepth }) => depth + latchedDepth, 0) ?? 0,
    });
    for (const message of greeting({ ...options, range: this.#player })) {
      connection.send(encodeServerText(message));
    }
    this.#announce(this.#player.startTime);
    if (options.playsAlone) this.#player.control({ playing: true });
    this.finished = this.#run();
  }

  closed(): void {
    this.#player.close();
  }

  frame(frame: string | Uint8Array): void {
    // Answers to a client that asks without reading would pile up without end.
    if (this.#connection.bufferedBytes > 4 * this.#options.highWaterBytes) {
      this.#connection.close(1008, 'asks without reading');
      return;
    }
    const parsed = parseClientFrame(frame);
    if ('fault' in parsed) this.#status('error', parsed.fault);
    else this.#handle(parsed.frame);
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.#player.events()) {
        await this.#send(event);
        this.#updateParameters(event.kind === 'state');
        if (this.#options.playsAlone && event.kind === 'state' && event.state.status === 'ended') {
          this.#player.control({ seekTime: this.#player.startTime, playing: true });
        }
      }
    } catch (error) {
      this.#options.failed(error);
      this.#status('error', error instanceof Error ? error.message : String(error));
      this.#connection.close(1011, 'the episode could not be read on');
    }
  }

  async #send(event: PlaybackEvent): Promise<void> {
    switch (event.kind) {
      case 'time':
        this.#announce(event.time);
        return;
      case 'state':
        this.#sendState(event.state);
        return;
      case 'message': {
        const { message, time, backfill } = event;
        for (const [subscriptionId, { channelIds, droppable }] of this.#subscriptions) {
          if (!channelIds.has(message.channel.id)) continue;
          if (droppable && !backfill && this.#connection.bufferedBytes > this.#options.highWaterBytes) {
            this.#drop();
            continue;
          }
          await this.#connection.drained(2 * this.#options.highWaterBytes);
          if (!this.#subscriptions.has(subscriptionId)) continue; // taken back while waiting
          this.#announce(time);
          this.#connection.send(encodeMessageData(subscriptionId, message.logTime, message.data));
        }
        return;
      }
      default:
        event satisfies never;
    }
  }

  #sendState(state: PlaybackState): void {
    if (this.#wantsStates) this.#connection.send(encodePlaybackState(state));
    // A client without playback control takes time going backwards for a seek, and nothing else.
    if (state.didSeek && state.currentTime > (this.#announcedTime ?? 0n)) {
      this.#connection.send(encodeTime((this.#announcedTime ?? 1n) - 1n));
    }
    this.#announce(state.currentTime);
  }

  #announce(time: bigint): void {
    if (time === this.#announcedTime) return;
    this.#announcedTime = time;
    this.#connection.send(encodeTime(time));
  }

  #drop(): void {
    this.#droppedMessages++;
    const now = this.#options.clock.now();
    if (this.#slowStatusTime !== undefined && now - this.#slowStatusTime < STATUS_PERIOD_NANOS) return;
    this.#slowStatusTime = now;
    this.#status('warning', SLOW_CLIENT);
  }

  #handle(frame: ClientFrame): void {
    switch (frame.op) {
      case 'subscribe':
        for (const subscription of frame.subscriptions) this.#subscribe(subscription);
        return;
      case 'unsubscribe':
        for (const id of frame.subscriptionIds) this.#unsubscribe(id);
        return;
      case 'getParameters':
        this.#sendParameters(frame.parameterNames, frame.id);
        return;
      case 'setParameters':
        this.#player.control(changeOfParameters(frame.parameters, this.#player.state, this.#player));
        if (frame.id !== undefined) {
          this.#sendParameters(
            frame.parameters.map(({ name }) => name),
            frame.id,
          );
        }
        return;
      case 'subscribeParameterUpdates':
        for (const name of frame.parameterNames.slice(0, MAX_WATCHED)) this.#watchedParameters.add(name);
        return;
      case 'unsubscribeParameterUpdates':
        for (const name of frame.parameterNames) this.#watchedParameters.delete(name);
        return;
      case 'serviceCallRequest':
        this.#call(frame);
        return;
      case 'playbackControlRequest': {
        this.#wantsStates = true;
        const { command, speed, seekTime, requestId } = frame;
        this.#player.control({
          playing: command === 'play',
          speed,
          requestId,
          ...(seekTime !== undefined && { seekTime }),
        });
        return;
      }
      case 'unsupported':
        this.#status('error', `Server does not support the ${frame.capability} capability`);
        return;
      default:
        frame satisfies never;
    }
  }

  #subscribe({ id, channelId }: Subscription): void {
    const channel = this.#channels.get(channelId);
    if (!channel) this.#status('error', `No channel has id ${channelId}`);
    else if (this.#subscriptions.has(id)) this.#status('warning', `Subscription id ${id} is taken`);
    // Two per channel is more than any client makes, and a bound on what one message costs.
    else if (this.#subscriptions.size >= 2 * this.#channels.size)
      this.#status('error', 'Too many subscriptions');
    else {
      this.#subscriptions.set(id, channel);
      this.#player.subscribe(channel.topic);
    }
  }

  #unsubscribe(id: number): void {
    const channel = this.#subscriptions.get(id);
    if (!channel) {
      this.#status('warning', `No subscription has id ${id}`);
      return;
    }
    this.#subscriptions.delete(id);
    const isWanted = this.#subscriptions.values().some(({ topic }) => topic === channel.topic);
    if (!isWanted) this.#player.unsubscribe(channel.topic);
  }

  #call({ serviceId, callId, encoding, payload }: ServiceCall): void {
    const change: PlaybackChange | { fault: string } =
      encoding === 'json'
        ? changeOfService(serviceId, payload, this.#player.state, this.#player)
        : { fault: `Encoding "${encoding}" is not "json"` };
    if ('fault' in change) {
      this.#connection.send(
        encodeServerText({ op: 'serviceCallFailure', serviceId, callId, message: change.fault }),
      );
      return;
    }
    this.#player.control(change);
    const { status, currentTime } = this.#player.state;
    const response = { status, offset_secs: Number(currentTime - this.#player.startTime) / 1e9 };
    this.#connection.send(
      encodeServiceCallResponse({
        serviceId,
        callId,
        encoding: 'json',
        payload: text.encode(JSON.stringify(response)),
      }),
    );
  }

  #sendParameters(names: readonly string[], id?: string): void {
    const all = [
      ...replayParameters(this.#player.state, this.#player),
      { name: '/replay.dropped_messages', value: this.#droppedMessages },
    ];
    const parameters = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
    this.#connection.send(
      encodeServerText({ op: 'parameterValues', parameters, ...(id !== undefined && { id }) }),
    );
  }

  #updateParameters(changed: boolean): void {
    if (this.#watchedParameters.size === 0) return;
    const now = this.#options.clock.now();
    if (!changed && now - this.#parametersTime < PARAMETER_PERIOD_NANOS) return;
    this.#parametersTime = now;
    this.#sendParameters([...this.#watchedParameters]);
  }

  #status(level: keyof typeof STATUS_LEVELS, message: string): void {
    this.#connection.send(encodeServerText({ op: 'status', level: STATUS_LEVELS[level], message }));
  }
}

/** Parameters that one client may watch: ten times as many as there are. */
const MAX_WATCHED = 40;
