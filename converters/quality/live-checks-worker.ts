import { parentPort, workerData } from 'node:worker_threads';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { TakeFindings } from '../../schemas/message-observer.ts';
import { CHECKS } from './checks.ts';
import type { LiveChecksOptions } from './live-checks.ts';
import { LiveTake } from './live-take.ts';
import type { SampledMessage } from './observations.ts';

export type ShownMessage = SampledMessage & { readonly channelKey: number };

export type CheckRequest =
  | { readonly kind: 'start'; readonly info: EpisodeInfo; readonly firstTime: bigint }
  | { readonly kind: 'channel'; readonly channelKey: number; readonly spec: ChannelSpec }
  | { readonly kind: 'messages'; readonly messages: readonly ShownMessage[] }
  /** Everything received up to now has been shown. */
  | { readonly kind: 'look'; readonly now: bigint }
  | { readonly kind: 'refused'; readonly channelKey: number; readonly logTime: bigint }
  | {
      readonly kind: 'end';
      readonly endTime: bigint;
      readonly file: string | undefined;
      readonly unseen: number;
    };

export type CheckReply =
  /** A batch is done; its sender may send another. */
  | { readonly kind: 'seen' }
  | { readonly kind: 'current'; readonly texts: readonly string[] }
  | { readonly kind: 'checked'; readonly findings: TakeFindings | undefined };

const port = parentPort!;
const options = workerData as LiveChecksOptions;
const reply = (message: CheckReply) => port.postMessage(message);

let take: LiveTake | undefined;
let tail = Promise.resolve();

port.on('message', (request: CheckRequest) => {
  // One after another: a batch waits for the pictures of the one before. A fault ends this thread, and is told.
  tail = tail.then(() => obey(request));
});

async function obey(request: CheckRequest): Promise<void> {
  switch (request.kind) {
    case 'start':
      take = new LiveTake(CHECKS, { ...options, info: request.info, firstTime: request.firstTime });
      break;
    case 'channel':
      take!.channel(request.channelKey, request.spec);
      break;
    case 'messages':
      for (const message of request.messages) {
        const wait = take!.message(message.channelKey, message);
        if (wait) await wait;
      }
      reply({ kind: 'seen' });
      break;
    case 'look':
      reply({ kind: 'current', texts: await take!.current(request.now) });
      break;
    case 'refused':
      take!.refused(request.channelKey, request.logTime);
      break;
    case 'end': {
      const ending = take!;
      take = undefined;
      reply({ kind: 'checked', findings: await ending.end(request) });
      await ending.store();
      break;
    }
    default:
      request satisfies never;
  }
}
