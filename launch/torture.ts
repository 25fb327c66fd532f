import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import type { EpisodeWriterOptions } from '../schemas/episode-writer.ts';
import { type Repair, repairLibrary } from '../schemas/library-repair.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { FULL_LOAD, payloadMaker, timeOf } from './synthetic-load.ts';

/** What one killed take came to. */
export interface KillOutcome {
  readonly options: EpisodeWriterOptions;
  readonly sentCount: number;
  readonly missingCount: number;
  /** From the first message that is missing to the last one sent, seconds; 0 when none is missing. */
  readonly missingSecs: number;
  /** Broken promises, one sentence each. */
  readonly faults: readonly string[];
}

const OPTIONS: readonly EpisodeWriterOptions[] = [
  {},
  { compression: 'lz4' },
  { compression: 'none' },
  { durability: 'chunk' },
  { durability: 'none', chunkBytes: 256 * 1024 },
];

/**
 * Lets a child process record the full load, kills it somewhere in the first `maxSecs`, repairs its folder as
 * the next start of the program would, and compares the episode with what the child had been given.
 *
 * @param random gives numbers in [0, 1).
 */
export async function killOnce(random: () => number, maxSecs: number): Promise<KillOutcome> {
  const options = OPTIONS[Math.floor(random() * OPTIONS.length)]!;
  const directory = await mkdtemp(join(tmpdir(), 'kinescribe-kill-'));
  try {
    const file = join(directory, 'torture-0001.mcap');
    // One take in four is ended just before, so that some kills hit the closing.
    const killSecs = random() * maxSecs;
    const takeSecs = random() < 0.25 ? killSecs : maxSecs + 60;
    const sent = await recordAndKill(file, options, { killSecs, takeSecs });
    const repairs = await repairLibrary(directory);
    return { options, ...(await compare(file, sent, repairs)) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Sent {
  readonly startTime: bigint;
  /** Messages given to the writer, per stream. */
  readonly counts: readonly number[];
}

async function recordAndKill(
  file: string,
  options: EpisodeWriterOptions,
  { killSecs, takeSecs }: { readonly killSecs: number; readonly takeSecs: number },
): Promise<Sent> {
  const script = join(import.meta.dirname, 'torture-child.ts');
  const child = spawn(process.execPath, [script, file, JSON.stringify(options), String(takeSecs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let [startTime, counts] = [0n, FULL_LOAD.map(() => 0)];
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, ...values] = line.split(' ');
    if (word === 'start') {
      startTime = BigInt(values[0]!);
      setTimeout(() => child.kill('SIGKILL'), killSecs * 1000);
    } else if (word === 'sent') counts = values.map(Number);
  }
  await exited;
  return { startTime, counts };
}

async function compare(
  file: string,
  { startTime, counts }: Sent,
  repairs: readonly Repair[],
): Promise<Omit<KillOutcome, 'options'>> {
  const faults: string[] = [];
  const found = await readFound(file, repairs, faults);
  const ends = FULL_LOAD.map((stream, i) => startTime + timeOf(stream, Math.max(0, counts[i]! - 1)));
  let [missingCount, missingSecs] = [0, 0];
  for (const [i, stream] of FULL_LOAD.entries()) {
    const { topic } = stream.spec;
    const sequences = found.sequences[i]!;
    for (let n = 0; n < counts[i]!; n++) {
      if (sequences.has(n)) continue;
      const logTime = startTime + timeOf(stream, n);
      missingCount++;
      missingSecs = Math.max(missingSecs, nanosToSecs(ends[i]! - logTime));
      const isNamed = found.losses.some(
        (loss) => loss.topic === topic && loss.startTime <= logTime && logTime < loss.endTime,
      );
      // Before its first message a take has nothing to hold a ledger.
      if (!isNamed && found.count > 0)
        faults.push(`message ${n} of ${topic} is missing and not in the ledger`);
    }
  }
  if (missingSecs > 1) faults.push(`${missingSecs.toFixed(3)} s are missing, more than one second`);
  return { sentCount: counts.reduce((a, b) => a + b), missingCount, missingSecs, faults };
}

/** Reads the repaired episode, or what there is when nothing had been written yet. */
async function readFound(file: string, repairs: readonly Repair[], faults: string[]) {
  const sequences = FULL_LOAD.map(() => new Set<number>());
  if (repairs.some(({ kind }) => kind === 'busy'))
    faults.push('the part of a dead process was taken for busy');
  if (repairs.some(({ kind }) => kind === 'put-aside')) return { sequences, losses: [], count: 0 };
  const makers = FULL_LOAD.map(payloadMaker);
  await using reader = await EpisodeReader.open(file);
  for await (const { channel, sequence, data } of reader.messages()) {
    sequences[channel.id]!.add(sequence);
    if (Buffer.compare(data, makers[channel.id]!(sequence)) !== 0) {
      faults.push(`message ${sequence} of ${channel.topic} is not what was sent`);
    }
  }
  return { sequences, losses: (await reader.ledger())?.losses ?? [], count: reader.messageCount };
}

/** `node launch/torture.ts --kills 1000 [--secs 2] [--jobs 2]` */
async function torture(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '1000' },
      secs: { type: 'string', default: '2' },
      jobs: { type: 'string', default: '2' },
    },
  });
  const outcomes: KillOutcome[] = [];
  let left = Number(values.kills);
  const work = async () => {
    while (left-- > 0) {
      const outcome = await killOnce(Math.random, Number(values.secs));
      outcomes.push(outcome);
      for (const fault of outcome.faults) console.log(`FAULT ${JSON.stringify(outcome.options)} ${fault}`);
      if (outcomes.length % 100 === 0) console.log(`${outcomes.length} kills`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  const missing = outcomes.map(({ missingSecs }) => missingSecs).sort((a, b) => a - b);
  const sent = outcomes.reduce((sum, { sentCount }) => sum + sentCount, 0);
  const lost = outcomes.reduce((sum, { missingCount }) => sum + missingCount, 0);
  const faults = outcomes.flatMap((outcome) => outcome.faults).length;
  const at = (share: number) => (missing[Math.floor(share * (missing.length - 1))] ?? 0).toFixed(3);
  console.log(
    `${outcomes.length} kills, ${faults} faults: ${sent} messages sent, ${lost} missing; ` +
      `missing at the end: median ${at(0.5)} s, 99 % ${at(0.99)} s, most ${at(1)} s`,
  );
  return faults > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = await torture();
