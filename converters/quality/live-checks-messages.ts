import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { TakeFindings } from '../../schemas/message-observer.ts';
import type { TimedEvent } from '../../schemas/pause-spans.ts';
import type { SampledMessage } from './observations.ts';

/** What crosses between the receiving thread and the checking thread. */

export interface LiveChecksOptions {
  readonly contract: Contract;
  readonly calibration: Calibration | undefined;
  /** Version of this program, stored with the findings. */
  readonly version: string;
}

export type ShownMessage = SampledMessage & { readonly channelKey: number };

export type CheckRequest =
  | { readonly kind: 'start'; readonly info: EpisodeInfo; readonly firstTime: bigint }
  | { readonly kind: 'channel'; readonly channelKey: number; readonly spec: ChannelSpec }
  | { readonly kind: 'messages'; readonly messages: readonly ShownMessage[] }
  | { readonly kind: 'event'; readonly event: TimedEvent }
  /** Everything received up to now has been shown. */
  | { readonly kind: 'look'; readonly now: bigint }
  | { readonly kind: 'refused'; readonly channelKey: number; readonly logTime: bigint }
  | {
      readonly kind: 'end';
      readonly endTime: bigint;
      readonly file: string | undefined;
      readonly unseen: number;
    }
  /** Nothing more comes: finish what has been asked, and end. */
  | { readonly kind: 'close' };

export type CheckReply =
  /** A batch is done; its sender may send another. */
  | { readonly kind: 'seen' }
  | { readonly kind: 'current'; readonly texts: readonly string[] }
  | { readonly kind: 'checked'; readonly findings: TakeFindings | undefined };
