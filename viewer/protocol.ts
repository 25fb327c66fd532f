/**
 * The vocabulary of the Foxglove WebSocket protocol, version 1, under both of its subprotocol names.
 * Source: foxglove-sdk, `rust/foxglove/src/protocol`; its golden frames are this folder's tests.
 */

/** In the order of preference: the SDK's name adds playback control to the older one. */
export const SUBPROTOCOLS = ['foxglove.sdk.v1', 'foxglove.websocket.v1'] as const;
export type Subprotocol = (typeof SUBPROTOCOLS)[number];

/** The subprotocol to answer an offer with, or undefined where there is nothing in common. */
export function chooseSubprotocol(offered: readonly string[]): Subprotocol | undefined {
  return SUBPROTOCOLS.find((name) => offered.includes(name));
}

export type Capability =
  | 'time'
  | 'playbackControl'
  | 'parameters'
  | 'parametersSubscribe'
  | 'services'
  | 'clientPublish'
  | 'connectionGraph'
  | 'assets';

/** The protocol's JSON form of an instant; ROS calls the second field `nanosec`. */
export interface JsonTime {
  readonly sec: number;
  readonly nsec: number;
}

export interface ServerInfo {
  readonly op: 'serverInfo';
  readonly name: string;
  readonly capabilities: readonly Capability[];
  readonly supportedEncodings?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** A new one tells clients to forget everything. */
  readonly sessionId?: string;
  /** First and last instant of what can be played; needed for `playbackControl`. */
  readonly dataStartTime?: JsonTime;
  readonly dataEndTime?: JsonTime;
}

export interface AdvertisedChannel {
  readonly id: number;
  readonly topic: string;
  readonly encoding: string;
  readonly schemaName: string;
  readonly schemaEncoding?: string;
  /** Text, or base64 for `protobuf` and `flatbuffer`. */
  readonly schema: string;
  /** The channel's own in the file: quality of service and type hash of ROS 2. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface AdvertisedService {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly request: ServiceSchema;
  readonly response: ServiceSchema;
}

interface ServiceSchema {
  readonly encoding: string;
  readonly schemaName: string;
  readonly schemaEncoding: string;
  readonly schema: string;
}

export interface Parameter {
  readonly name: string;
  /** `float64` keeps an integral number a float for the client. */
  readonly type?: 'float64';
  /** Absent for a parameter that is not set. */
  readonly value?: unknown;
}

export const STATUS_LEVELS = { info: 0, warning: 1, error: 2 } as const;

/** What the server says as text frames. */
export type ServerText =
  | ServerInfo
  | { readonly op: 'advertise'; readonly channels: readonly AdvertisedChannel[] }
  | { readonly op: 'unadvertise'; readonly channelIds: readonly number[] }
  | ConnectionGraphUpdate
  | { readonly op: 'advertiseServices'; readonly services: readonly AdvertisedService[] }
  | { readonly op: 'parameterValues'; readonly parameters: readonly Parameter[]; readonly id?: string }
  | { readonly op: 'status'; readonly level: 0 | 1 | 2; readonly message: string; readonly id?: string }
  | {
      readonly op: 'serviceCallFailure';
      readonly serviceId: number;
      readonly callId: number;
      readonly message: string;
    };

/** Who gives what to whom; a first update tells all, later ones what changed. */
export interface ConnectionGraphUpdate {
  readonly op: 'connectionGraphUpdate';
  readonly publishedTopics: readonly { readonly name: string; readonly publisherIds: readonly string[] }[];
  readonly subscribedTopics: readonly { readonly name: string; readonly subscriberIds: readonly string[] }[];
  readonly advertisedServices: readonly { readonly name: string; readonly providerIds: readonly string[] }[];
  readonly removedTopics: readonly string[];
  readonly removedServices: readonly string[];
}

/** What the server says as binary frames. */
export type ServerBinary =
  | {
      readonly op: 'messageData';
      readonly subscriptionId: number;
      readonly logTime: bigint;
      /** A view of the frame. */
      readonly payload: Uint8Array;
    }
  | { readonly op: 'time'; readonly time: bigint }
  | ({ readonly op: 'serviceCallResponse' } & ServiceCall)
  | ({ readonly op: 'playbackState' } & PlaybackState)
  | ({ readonly op: 'fetchAssetResponse' } & AssetAnswer);

/** A file that a client asked for, or in one sentence why it cannot have it. */
export type AssetAnswer = { readonly requestId: number } & (
  | { readonly data: Uint8Array }
  | { readonly fault: string }
);

/** In the order of their numbers on the wire. */
export const PLAYBACK_STATUSES = ['playing', 'paused', 'buffering', 'ended'] as const;
export type PlaybackStatus = (typeof PLAYBACK_STATUSES)[number];

export interface PlaybackState {
  readonly status: PlaybackStatus;
  readonly currentTime: bigint;
  /** Recorded seconds per second. */
  readonly speed: number;
  /** Whether the time jumped, so that clients forget what they show. */
  readonly didSeek: boolean;
  /** The request this answers; absent for changes that nobody asked for. */
  readonly requestId?: string;
}

/** Request and response of a service have one form. */
export interface ServiceCall {
  readonly serviceId: number;
  readonly callId: number;
  readonly encoding: string;
  /** A view of the frame. */
  readonly payload: Uint8Array;
}

export interface PlaybackControl {
  readonly command: 'play' | 'pause';
  readonly speed: number;
  readonly seekTime?: bigint;
  readonly requestId: string;
}

export interface Subscription {
  /** The client's own choice; message data bears it. */
  readonly id: number;
  readonly channelId: number;
}

/** A channel that a client publishes on. */
export interface ClientChannel {
  /** The client's own choice; its message data bears it. */
  readonly id: number;
  readonly topic: string;
  readonly encoding: string;
}

/** What a client says, text and binary. */
export type ClientFrame =
  | { readonly op: 'subscribe'; readonly subscriptions: readonly Subscription[] }
  | { readonly op: 'unsubscribe'; readonly subscriptionIds: readonly number[] }
  | { readonly op: 'getParameters'; readonly parameterNames: readonly string[]; readonly id?: string }
  | { readonly op: 'setParameters'; readonly parameters: readonly Parameter[]; readonly id?: string }
  | { readonly op: 'subscribeParameterUpdates'; readonly parameterNames: readonly string[] }
  | { readonly op: 'unsubscribeParameterUpdates'; readonly parameterNames: readonly string[] }
  | ({ readonly op: 'serviceCallRequest' } & ServiceCall)
  | ({ readonly op: 'playbackControlRequest' } & PlaybackControl)
  | { readonly op: 'advertise'; readonly channels: readonly ClientChannel[] }
  | { readonly op: 'unadvertise'; readonly channelIds: readonly number[] }
  /** The payload is a view of the frame. */
  | { readonly op: 'messageData'; readonly channelId: number; readonly payload: Uint8Array }
  | { readonly op: 'subscribeConnectionGraph' }
  | { readonly op: 'unsubscribeConnectionGraph' }
  | { readonly op: 'fetchAsset'; readonly requestId: number; readonly uri: string };
