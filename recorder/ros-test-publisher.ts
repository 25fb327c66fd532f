import { setTimeout as delay } from 'node:timers/promises';
import { openRosNode } from './ros-node.ts';
import { payloads, type TestStream } from './ros-test-streams.ts';

/**
 * A process of its own that plays the robot in tests: node name and streams come as arguments, it says
 * `ready`, publishes on `go`, says `done` and leaves the graph on `stop`.
 */
const [name = '', streamsJson = '[]'] = process.argv.slice(2);
const streams = JSON.parse(streamsJson) as readonly TestStream[];
const node = await openRosNode({
  name,
  onFault(error) {
    throw error;
  },
});
const publishers = await Promise.all(
  streams.map(async (stream) => ({
    stream,
    advertisement: node.advertise(stream.topic, stream.type, stream.qos),
    payload: await payloads(stream),
  })),
);

process.on('message', (order) => {
  if (order === 'go') void publish();
  if (order === 'stop') {
    node.close();
    process.disconnect();
  }
});
process.send!('ready');

async function publish(): Promise<void> {
  const start = performance.now();
  const sent = publishers.map(() => 0);
  while (publishers.some(({ stream }, at) => sent[at]! < stream.count)) {
    const elapsedSecs = (performance.now() - start) / 1000;
    publishers.forEach(({ stream, advertisement, payload }, at) => {
      const due = Math.min(stream.count, Math.floor(elapsedSecs * stream.rateHz) + 1);
      for (; sent[at]! < due; sent[at]!++) advertisement.publish(payload(sent[at]!));
    });
    await delay(1);
  }
  process.send!('done');
}
