import { setTimeout as sleep } from 'node:timers/promises';
import { EpisodeWriter, type EpisodeWriterOptions } from '../schemas/episode-writer.ts';
import { NANOS_PER_SEC } from '../schemas/time.ts';
import { FULL_LOAD, payloadMaker, timeOf } from './synthetic-load.ts';

/**
 * The process that the kill test kills: `node torture-child.ts FILE OPTIONS SECONDS` records the full load in
 * real time, ends the take after so many seconds, and says before every message batch how many messages of
 * each stream the writer has been given.
 */
const [file, options, secs] = process.argv.slice(2);
const writer = await EpisodeWriter.open(file!, JSON.parse(options!) as EpisodeWriterOptions);
for (const { spec } of FULL_LOAD) writer.addChannel(spec);
const makers = FULL_LOAD.map(payloadMaker);
const counts = FULL_LOAD.map(() => 0);
const startTime = BigInt(Date.now()) * 1_000_000n;
const endNanos = (BigInt(Math.round(Number(secs) * 1000)) * NANOS_PER_SEC) / 1000n;
process.stdout.write(`start ${startTime}\n`);

for (let elapsed = 0n; elapsed < endNanos; ) {
  elapsed = BigInt(Date.now()) * 1_000_000n - startTime;
  for (const [channelId, stream] of FULL_LOAD.entries()) {
    for (; timeOf(stream, counts[channelId]!) <= elapsed; counts[channelId]!++) {
      const sequence = counts[channelId]!;
      const logTime = startTime + timeOf(stream, sequence);
      const data = makers[channelId]!(sequence);
      await writer.write({ channelId, sequence, logTime, publishTime: logTime, data });
    }
  }
  // A pipe is written synchronously: what is said here has been given to the writer before.
  process.stdout.write(`sent ${counts.join(' ')}\n`);
  await sleep(2);
}
await writer.close();
process.stdout.write('closed\n');
