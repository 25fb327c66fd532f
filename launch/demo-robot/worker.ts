import { parentPort, workerData } from 'node:worker_threads';
import { Simulation } from './simulation.ts';
import type { FromWorker, ToWorker } from './worker-link.ts';
import type { WorldOptions } from './world-options.ts';

/** The thread that runs physics, cameras and encoding; payloads leave it by transfer, never by copy. */
const port = parentPort!;
const simulation = await Simulation.create(workerData as WorldOptions);

function post(message: FromWorker): void {
  const buffers = message.kind === 'batch' ? message.batch.messages.map(({ data }) => data.buffer) : [];
  port.postMessage(message, buffers);
}

let answered = Promise.resolve();
port.on('message', (message: ToWorker) => {
  const answer = answerTo(message);
  // A stretch without pictures is done before an earlier one with them: answers keep the order of requests.
  answered = answered.then(async () => post(await answer));
});
post({ kind: 'ready' });

async function answerTo(message: ToWorker): Promise<FromWorker> {
  switch (message.kind) {
    case 'advance':
      return { kind: 'batch', batch: await simulation.advance(message.forSecs) };
    case 'truth':
      return { kind: 'truth', truth: simulation.truth() };
  }
}
