import { currentLabel } from '../../schemas/labels.ts';
import { lossesByTopic } from '../../schemas/ledger.ts';
import { formatTime, nanosToSecs } from '../../schemas/time.ts';
import { type EpisodeSummary, type StreamSummary, summarizeEpisode } from '../episode-summary.ts';

/**
 * `kinescribe info`: what a recording holds and what is missing from it.
 *
 * @returns 0, or 3 when `deep` finds damage.
 */
export async function info(
  files: readonly string[],
  { json = false, deep = false }: { readonly json?: boolean; readonly deep?: boolean } = {},
): Promise<number> {
  const summaries: EpisodeSummary[] = [];
  for (const file of files) summaries.push(await summarizeEpisode(file, deep));
  const text = json
    ? JSON.stringify(summaries, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)
    : summaries.map((summary) => infoLines(summary).join('\n')).join('\n\n');
  process.stdout.write(`${text}\n`);
  return summaries.some(({ examination }) => examination && examination.result !== 'lossless') ? 3 : 0;
}

/** The summary for people, one line each. */
export function infoLines(summary: EpisodeSummary): string[] {
  const { file, bytes, startTime, durationSecs, messageCount, library, profile } = summary;
  const start = messageCount > 0 ? ` from ${formatTime(startTime)}` : '';
  return [
    file,
    `  ${durationSecs.toFixed(3)} s${start}, ${messageCount} messages, ${formatBytes(bytes)}`,
    `  written by   ${library || 'unknown'}, profile "${profile}"${summary.isRecovered ? ', recovered' : ''}`,
    ...episodeLines(summary),
    `  chunks       ${summary.compressions.map(compressionText).join('; ') || 'none'}`,
    ...summary.attachments.map(({ name, bytes }) => `  attachment   ${name}, ${formatBytes(bytes)}`),
    `  integrity    ${integrityText(summary)}`,
    ...(summary.examination?.damages ?? []).map(
      ({ startOffset, endOffset, reason }) => `    bytes ${startOffset} to ${endOffset}: ${reason}`,
    ),
    '',
    ...table(summary.streams.map((stream) => streamCells(stream, summary))),
    ...lossLines(summary),
  ];
}

function episodeLines({ episode, contract, labels }: EpisodeSummary): string[] {
  const outcome = currentLabel(labels, 'outcome');
  const quality = currentLabel(labels, 'quality');
  const judged = [outcome, quality && `quality ${quality} of 5`].filter(Boolean).join(', ');
  const judgement = judged ? [`  outcome      ${judged}`] : [];
  if (!episode) return judgement;
  const { task, robot, operator, source, recorderVersion, contractDigest, session } = episode;
  const where = [episode.object, episode.scene].filter(Boolean).map((word) => `, ${word}`);
  const { clockSystemTime, clockMonotonicNanos } = episode;
  const clock =
    clockSystemTime === '0'
      ? 'of the source'
      : `system ${formatTime(BigInt(clockSystemTime))} = monotonic ${nanosToSecs(BigInt(clockMonotonicNanos)).toFixed(3)} s`;
  return [
    `  task         "${task}"${where.join('')} by ${robot}, operator "${operator}"`,
    ...(session ? [`  session      ${session}`] : []),
    `  contract     ${contract ?? episode.contract}, ${contractDigest.slice(0, 19)}…`,
    `  recorder     ${recorderVersion} from ${source}`,
    `  clock        ${clock}`,
    ...judgement,
  ];
}

function compressionText(each: EpisodeSummary['compressions'][number]): string {
  const { compression, chunkCount, bytes, uncompressedBytes } = each;
  const ratio =
    bytes > 0 && compression !== 'none' ? `, ratio ${(uncompressedBytes / bytes).toFixed(2)}` : '';
  return `${chunkCount} × ${compression}, ${formatBytes(bytes)}${ratio}`;
}

function integrityText({ examination, isIndexed }: EpisodeSummary): string {
  if (!examination) {
    return isIndexed
      ? 'summary sound; --deep checks every checksum'
      : 'no summary, all messages were read; --deep checks every checksum';
  }
  const { result, damages } = examination;
  return result === 'lossless' ? 'every checksum is right' : `${damages.length} damaged places`;
}

function streamCells(stream: StreamSummary, { losses }: EpisodeSummary): string[] {
  const { topic, name, role, type, messageCount, rateHz, expectedRateHz, largestGapSecs } = stream;
  const ofTopic = losses?.filter((loss) => loss.topic === topic);
  const lost = ofTopic?.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
  const isOpen = ofTopic?.some(({ messages }) => messages === null);
  return [
    name ? `${name} ${topic}` : topic,
    role ?? '',
    type,
    `${messageCount}`,
    `${rateHz?.toFixed(1) ?? ''}${expectedRateHz === undefined ? '' : ` of ${expectedRateHz}`}`,
    largestGapSecs?.toFixed(3) ?? '',
    lost === undefined ? 'not counted' : `${lost}${isOpen ? ' or more' : ''}`,
  ];
}

const HEADINGS = ['stream', 'role', 'type', 'messages', 'Hz', 'gap s', 'lost'];

function table(rows: readonly (readonly string[])[]): string[] {
  const cells = [HEADINGS, ...rows];
  const used = HEADINGS.map((_, column) => column).filter((column) => rows.some((row) => row[column]));
  const width = (column: number) => Math.max(...cells.map((row) => row[column]!.length));
  return cells.map((row) =>
    `  ${used.map((column) => row[column]!.padEnd(width(column))).join('  ')}`.trimEnd(),
  );
}

/** Longest lists are cut: --json has them whole. */
const MAX_LOSSES = 5;

function lossLines({ losses, startTime }: EpisodeSummary): string[] {
  if (!losses || losses.length === 0) return [];
  const secs = (time: bigint) => nanosToSecs(time - startTime).toFixed(3);
  return [...lossesByTopic({ totals: [], losses })].map(([topic, ofTopic]) => {
    const places = ofTopic.slice(0, MAX_LOSSES).map(({ messages, cause, startTime: from, endTime: to }) => {
      return `${messages ?? 'unknown number'} ${cause} at ${secs(from)}–${secs(to)} s`;
    });
    const more = ofTopic.length > MAX_LOSSES ? `; ${ofTopic.length - MAX_LOSSES} more` : '';
    return `  LOST ${topic}: ${places.join('; ')}${more}`;
  });
}

function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
