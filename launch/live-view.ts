import type { RecorderStatus } from '../recorder/recorder.ts';
import type { StreamStatus } from '../recorder/stream-monitor.ts';
import { type Contract, maxGapSecs } from '../schemas/contract.ts';

const RED = '\u001b[31m';
const PLAIN = '\u001b[0m';

/** A stream whose rate is below this share of the contract's is shown in red. */
const LOW_RATE_SHARE = 0.75;

/** What an operator sees while recording, line by line. */
export function liveLines(status: RecorderStatus, contract: Contract, { colour = true } = {}): string[] {
  const { state, episodeId, durationSecs, queuedBytes, streams, storage } = status;
  const head = `${state.toUpperCase().padEnd(10)} ${episodeId ?? ''}  ${durationSecs.toFixed(1)} s`;
  const width = Math.max(5, ...streams.map(({ topic }) => topic.length));
  const rows = streams.map((stream) => {
    const text = row(stream, contract, width);
    return colour && troubled(stream, contract) ? `${RED}${text}${PLAIN}` : text;
  });
  const titles = `${'topic'.padEnd(width)}  ${'rate Hz'.padStart(8)}  ${'messages'.padStart(9)}  ${'lost'.padStart(6)}  ${'silent s'.padStart(8)}  ${'MB'.padStart(8)}`;
  const left = storage.secsLeft === undefined ? '' : `, ${Math.floor(storage.secsLeft / 60)} min left`;
  const disk = `disk ${(storage.freeBytes / 1e9).toFixed(1)} GB free${left}`;
  return [
    `${head}   queue ${megabytes(queuedBytes)} MB   ${disk}`,
    ...(rows.length > 0 ? [titles, ...rows] : []),
  ];
}

/** One line for a log that nobody watches: the state and whatever is wrong. */
export function logLine(status: RecorderStatus, contract: Contract): string {
  const { state, episodeId, durationSecs, streams } = status;
  const received = streams.reduce((sum, stream) => sum + stream.received, 0);
  const wrong = streams
    .filter((stream) => troubled(stream, contract))
    .map(({ topic, lost, rateHz }) => `${topic} ${rateHz.toFixed(0)} Hz, ${lost} lost`);
  const end = wrong.length > 0 ? `; look at ${wrong.join('; ')}` : '; all streams well';
  return `${state} ${episodeId ?? ''} ${durationSecs.toFixed(0)} s, ${received} messages${end}`;
}

function row(
  { topic, rateHz, received, lost, silentSecs, bytes }: StreamStatus,
  contract: Contract,
  width: number,
): string {
  const expected = streamOf(topic, contract)?.rateHz;
  const rate = expected === undefined ? rateHz.toFixed(0) : `${rateHz.toFixed(0)}/${expected}`;
  const silent = received === 0 ? 'never' : silentSecs.toFixed(1);
  return `${topic.padEnd(width)}  ${rate.padStart(8)}  ${String(received).padStart(9)}  ${String(lost).padStart(6)}  ${silent.padStart(8)}  ${megabytes(bytes).padStart(8)}`;
}

/** Losing, silent for longer than its largest gap, or well below its rate. */
function troubled({ topic, rateHz, lost, silentSecs, received }: StreamStatus, contract: Contract): boolean {
  if (lost > 0) return true;
  const stream = streamOf(topic, contract);
  if (!stream) return false;
  const gap = maxGapSecs(stream);
  if (gap !== undefined && silentSecs > gap) return true;
  return stream.rateHz !== undefined && received > stream.rateHz && rateHz < LOW_RATE_SHARE * stream.rateHz;
}

function streamOf(topic: string, contract: Contract) {
  return Object.values(contract.streams).find((stream) => stream.topic === topic);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
