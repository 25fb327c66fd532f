import { awaitedTopics } from '../schemas/awaited-topics.ts';
import { planWords } from '../schemas/plan-words.ts';
import type { RecordingStatus, StreamStatus } from '../schemas/recording-control.ts';

type ShownStatus = Pick<
  RecordingStatus,
  'state' | 'episodeId' | 'durationSecs' | 'paused' | 'queuedBytes' | 'streams' | 'storage'
> & { readonly plan?: RecordingStatus['plan']; readonly wrong?: RecordingStatus['wrong'] };

const RED = '\u001b[31m';
const PLAIN = '\u001b[0m';
/** Findings that fit beside the streams; the gravest come first. */
const MOST_WRONG = 5;

/** What an operator sees while recording, line by line. */
export function liveLines(status: ShownStatus, { colour = true } = {}): string[] {
  const { state, episodeId, durationSecs, paused, queuedBytes, streams, storage, plan, wrong = [] } = status;
  const word = awaitedTopics(status).length > 0 ? 'waiting' : state;
  const head = `${(paused ? 'paused' : word).toUpperCase().padEnd(10)} ${episodeId ?? ''}  ${durationSecs.toFixed(1)} s`;
  const width = Math.max(5, ...streams.map(({ topic }) => topic.length));
  const rows = streams.map((stream) => {
    const text = row(stream, width);
    return colour && stream.trouble ? `${RED}${text}${PLAIN}` : text;
  });
  const titles = ['topic'.padEnd(width), ...COLUMNS.map(({ title, space }) => title.padStart(space))].join(
    '  ',
  );
  const left = storage.secsLeft === undefined ? '' : `, ${Math.floor(storage.secsLeft / 60)} min left`;
  const takes = storage.takesLeft === undefined ? '' : `, ${storage.takesLeft} takes`;
  const disk = `disk ${(storage.freeBytes / 1e9).toFixed(1)} GB free${left}${takes}`;
  return [
    `${head}   queue ${megabytes(queuedBytes)} MB   ${disk}`,
    ...(plan ? [planWords(plan)] : []),
    ...wrong.slice(0, MOST_WRONG).map((text) => (colour ? `${RED}! ${text}${PLAIN}` : `! ${text}`)),
    ...(wrong.length > MOST_WRONG ? [`  and ${wrong.length - MOST_WRONG} more`] : []),
    ...(rows.length > 0 ? [titles, ...rows] : []),
  ];
}

/** One line for a log that nobody watches: the state and whatever is wrong. */
export function logLine(status: ShownStatus): string {
  const { state, episodeId, durationSecs, streams, wrong: findings = [] } = status;
  const received = streams.reduce((sum, stream) => sum + stream.received, 0);
  const wrong = streams
    .filter(({ trouble }) => trouble)
    .map(({ topic, trouble, lost, rateHz }) => `${topic} ${trouble}, ${rateHz.toFixed(0)} Hz, ${lost} lost`);
  wrong.push(...findings.slice(0, MOST_WRONG));
  const word = awaitedTopics(status).length > 0 ? 'waiting' : state;
  const end = wrong.length > 0 ? `; look at ${wrong.join('; ')}` : '; all streams well';
  return `${word} ${episodeId ?? ''} ${durationSecs.toFixed(0)} s, ${received} messages${end}`;
}

interface Column {
  readonly title: string;
  readonly space: number;
  text(stream: StreamStatus): string;
}

const COLUMNS: readonly Column[] = [
  {
    title: 'rate Hz',
    space: 8,
    text: ({ rateHz, expectedRateHz }) =>
      expectedRateHz === undefined ? rateHz.toFixed(0) : `${rateHz.toFixed(0)}/${expectedRateHz}`,
  },
  { title: 'messages', space: 9, text: ({ received }) => String(received) },
  { title: 'lost', space: 6, text: ({ lost }) => String(lost) },
  {
    title: 'gap s',
    space: 7,
    text: ({ received, largestGapSecs }) => (received === 0 ? 'never' : largestGapSecs.toFixed(2)),
  },
  {
    title: 'age ms',
    space: 7,
    text: ({ ageSecs }) => (ageSecs === undefined ? '' : (ageSecs * 1000).toFixed(0)),
  },
  { title: 'MB', space: 8, text: ({ bytes }) => megabytes(bytes) },
];

function row(stream: StreamStatus, width: number): string {
  const cells = COLUMNS.map(({ space, text }) => text(stream).padStart(space));
  return [stream.topic.padEnd(width), ...cells, stream.trouble ?? ''].join('  ').trimEnd();
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
