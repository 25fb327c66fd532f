import { parentPort, workerData } from 'node:worker_threads';
import { CHECKS } from './checks.ts';
import type { CheckReply, CheckRequest, LiveChecksOptions } from './live-checks-messages.ts';
import { LiveTake } from './live-take.ts';

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
    case 'event':
      take!.event(request.event);
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
    case 'close':
      port.close();
      break;
    default:
      request satisfies never;
  }
}
