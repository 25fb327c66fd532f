import type { ReplayChannel } from './channels.ts';
import type { ClientStream } from './client-stream.ts';
import { EpisodeRequests } from './episode-requests.ts';
import { greeting } from './greeting.ts';
import type { PlaybackGroup } from './playback-group.ts';
import { type PlaybackClock, type PlaybackEvent, Player } from './player.ts';
import type { ClientFrame, PlaybackState, ServiceCall, Subprotocol, Subscription } from './protocol.ts';
import { encodePlaybackState, encodeServiceCallResponse } from './protocol-server.ts';
import { changeOfParameters, changeOfService, type ReplayWish, replayParameters } from './replay-controls.ts';
import type { ReplayedEpisode } from './replayed-episodes.ts';

export interface EpisodeReplayOptions {
  readonly subprotocol: Subprotocol;
  /** Whether the client has seen no other episode on its connection. */
  readonly isFirst: boolean;
  readonly clock: PlaybackClock;
  /** Plays at once and over again: for clients without a playback bar. */
  readonly playsAlone: boolean;
  /** Playbacks that go together with this one. */
  readonly group: PlaybackGroup;
  /** All that the client may choose from. */
  readonly episodeIds: () => Promise<readonly string[]>;
  /** The client wants another episode. */
  readonly open: (episodeId: string) => void;
  /** The episode could not be read on. */
  readonly failed: (error: unknown) => void;
}

/** Time between two updates of the playback's parameters. */
const PARAMETER_PERIOD_NANOS = 500_000_000n;
/** After this long without anything to see a client is told why. */
const PATIENCE_MILLIS = 1000;
/** Parameters that one client may watch: several times as many as there are. */
const MAX_WATCHED = 40;
const text = new TextEncoder();

/** One episode as one client plays it. */
export class EpisodeReplay {
  /** Resolves when nothing of the episode is read any more. */
  readonly finished: Promise<void>;
  readonly #stream: ClientStream;
  readonly #episode: ReplayedEpisode;
  readonly #options: EpisodeReplayOptions;
  readonly #player: Player;
  readonly #channels: ReadonlyMap<number, ReplayChannel>;
  /** By subscription id. */
  readonly #subscriptions = new Map<number, ReplayChannel>();
  readonly #watchedParameters = new Set<string>();
  readonly #requests: EpisodeRequests;
  /** Lichtblick speaks foxglove.sdk.v1 but knows no PlaybackState: only who asks for control is told. */
  #wantsStates = false;
  #parametersTime = 0n;

  constructor(stream: ClientStream, episode: ReplayedEpisode, options: EpisodeReplayOptions) {
    this.#stream = stream;
    this.#episode = episode;
    this.#options = options;
    this.#channels = new Map(episode.channels.map((channel) => [channel.advertised.id, channel]));
    const depths = Map.groupBy(episode.channels, ({ topic }) => topic);
    this.#player = new Player(episode.recording, {
      clock: options.clock,
      latchedDepth: (topic) =>
        depths.get(topic)?.reduce((depth, { latchedDepth }) => depth + latchedDepth, 0) ?? 0,
    });
    this.#requests = new EpisodeRequests(stream, episode);
    const { id: episodeId, channels } = episode;
    const { subprotocol, isFirst } = options;
    for (const message of greeting({ subprotocol, isFirst, episodeId, channels, range: this.#player })) {
      stream.text(message);
    }
    stream.announce(this.#player.startTime);
    options.group.join(this.#player);
    if (options.playsAlone) this.#player.control({ playing: true });
    this.finished = this.#run();
  }

  close(): void {
    this.#options.group.leave(this.#player);
    this.#player.close();
  }

  /** Says that the episode's channels are no more: a new session alone makes no client forget them. */
  takeBack(): void {
    this.#stream.text({ op: 'unadvertise', channelIds: [...this.#channels.keys()] });
  }

  /** Sends the latest messages of some topics again. @param topics @default all that the client wants */
  refresh(topics: Iterable<string> = this.#subscriptions.values().map(({ topic }) => topic)): void {
    for (const topic of new Set(topics)) this.#player.refresh(topic);
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.#player.events()) {
        await this.#send(event);
        this.#updateParameters(event.kind === 'state');
        if (this.#options.playsAlone && event.kind === 'state' && event.state.status === 'ended') {
          this.#control({ seekTime: this.#player.startTime, playing: true });
        }
      }
    } catch (error) {
      this.#options.failed(error);
      this.#stream.status('error', messageOf(error));
      this.#stream.close(1011, 'the episode could not be read on');
    }
  }

  async #send(event: PlaybackEvent): Promise<void> {
    switch (event.kind) {
      case 'time':
        this.#stream.announce(event.time);
        return;
      case 'state':
        this.#sendState(event.state);
        return;
      case 'message': {
        const { message, time, backfill } = event;
        for (const [subscriptionId, { channelIds, droppable, topic }] of this.#subscriptions) {
          if (!channelIds.has(message.channel.id)) continue;
          if (droppable && !backfill && this.#stream.fill > 1) {
            this.#stream.leaveOut(topic);
            continue;
          }
          await this.#stream.drained(2);
          if (!this.#subscriptions.has(subscriptionId)) continue; // taken back while waiting
          this.#stream.announce(time);
          this.#stream.message(subscriptionId, message.logTime, message.data);
        }
        return;
      }
      default:
        event satisfies never;
    }
  }

  #sendState(state: PlaybackState): void {
    if (this.#wantsStates) this.#stream.binary(encodePlaybackState(state));
    if (state.didSeek) this.#stream.jump(state.currentTime);
    else this.#stream.announce(state.currentTime);
  }

  handle(frame: ClientFrame): void {
    switch (frame.op) {
      case 'subscribe':
        for (const subscription of frame.subscriptions) this.#subscribe(subscription);
        return;
      case 'unsubscribe':
        for (const id of frame.subscriptionIds) this.#unsubscribe(id);
        return;
      case 'getParameters':
        void this.#sendParameters(frame.parameterNames, frame.id);
        return;
      case 'setParameters': {
        this.#control(changeOfParameters(frame.parameters, this.#player.state, this.#player));
        const names = frame.parameters.map(({ name }) => name);
        if (frame.id !== undefined) void this.#sendParameters(names, frame.id);
        return;
      }
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
        const change = { playing: command === 'play', speed, requestId };
        this.#control({ ...change, ...(seekTime !== undefined && { seekTime }) });
        return;
      }
      case 'unsubscribeConnectionGraph':
        return; // it never changes
      default:
        this.#requests.handle(frame, this.#player.state.currentTime);
    }
  }

  #control({ episodeId, ...change }: ReplayWish): void {
    if (episodeId !== undefined && episodeId !== this.#episode.id) this.#options.open(episodeId);
    if (Object.keys(change).length > 0) this.#options.group.control(this.#player, change);
  }

  #subscribe({ id, channelId }: Subscription): void {
    const channel = this.#channels.get(channelId);
    if (!channel) this.#stream.status('error', `No channel has id ${channelId}`);
    else if (this.#subscriptions.has(id)) this.#stream.status('warning', `Subscription id ${id} is taken`);
    // Two per channel is more than any client makes, and a bound on what one message costs.
    else if (this.#subscriptions.size >= 2 * this.#channels.size)
      this.#stream.status('error', 'Too many subscriptions');
    else {
      this.#subscriptions.set(id, channel);
      if (this.#episode.recording.computedTopics.has(channel.topic)) void this.#prepare(id, channel);
      else this.#player.subscribe(channel.topic);
    }
  }

  /** The rest plays on while a topic is being prepared. */
  async #prepare(id: number, channel: ReplayChannel): Promise<void> {
    const patience = setTimeout(
      () => this.#stream.status('info', `${channel.topic} is being prepared: all stamps are read once`),
      PATIENCE_MILLIS,
    );
    try {
      await this.#episode.recording.prepare(channel.topic);
      if (this.#subscriptions.get(id) === channel) this.#player.subscribe(channel.topic);
    } catch (error) {
      this.#stream.status('warning', `${channel.topic} cannot be shown: ${messageOf(error)}`);
    } finally {
      clearTimeout(patience);
    }
  }

  #unsubscribe(id: number): void {
    const channel = this.#subscriptions.get(id);
    if (!channel) {
      // A client that was told of another episode takes back what it had of the one before.
      if (this.#options.isFirst) this.#stream.status('warning', `No subscription has id ${id}`);
      return;
    }
    this.#subscriptions.delete(id);
    const isWanted = this.#subscriptions.values().some(({ topic }) => topic === channel.topic);
    if (!isWanted) this.#player.unsubscribe(channel.topic);
  }

  #call({ serviceId, callId, encoding, payload }: ServiceCall): void {
    const wish =
      encoding === 'json'
        ? changeOfService(serviceId, payload, this.#player.state, this.#player)
        : { fault: `Encoding "${encoding}" is not "json"` };
    if ('fault' in wish) {
      this.#stream.text({ op: 'serviceCallFailure', serviceId, callId, message: wish.fault });
      return;
    }
    this.#control(wish);
    const { status, currentTime } = this.#player.state;
    const response = { status, offset_secs: Number(currentTime - this.#player.startTime) / 1e9 };
    const answer = { serviceId, callId, encoding: 'json', payload: text.encode(JSON.stringify(response)) };
    this.#stream.binary(encodeServiceCallResponse(answer));
  }

  async #sendParameters(names: readonly string[], id?: string): Promise<void> {
    const all = [
      ...replayParameters(this.#player.state, this.#player),
      { name: '/replay.episode', value: this.#episode.id },
      { name: '/replay.episodes', value: await this.#options.episodeIds() },
      { name: '/replay.left_out', value: Object.fromEntries(this.#stream.leftOut) },
    ];
    const parameters = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
    this.#stream.text({ op: 'parameterValues', parameters, ...(id !== undefined && { id }) });
  }

  #updateParameters(changed: boolean): void {
    if (this.#watchedParameters.size === 0) return;
    const now = this.#options.clock.now();
    if (!changed && now - this.#parametersTime < PARAMETER_PERIOD_NANOS) return;
    this.#parametersTime = now;
    void this.#sendParameters([...this.#watchedParameters]);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
