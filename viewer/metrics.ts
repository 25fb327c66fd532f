import type { RecordingStatus, StreamStatus } from '../schemas/recording-control.ts';

/** The text format of Prometheus, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Values by labels; what is undefined is left out. */
type Samples = readonly (readonly [labels: Readonly<Record<string, string>>, value: number | undefined])[];
type Metric = readonly [name: string, type: 'counter' | 'gauge', help: string, samples: Samples];

const STATES: readonly RecordingStatus['state'][] = ['idle', 'recording', 'review'];

/** A recording session for Prometheus. Counts of streams begin anew with every take, as counters may. */
export function metricsText(status: RecordingStatus): string {
  return metricsOf(status).map(textOf).join('');
}

function metricsOf({ streams, storage, ...session }: RecordingStatus): readonly Metric[] {
  const one = (value: number | undefined): Samples => [[{}, value]];
  const states = STATES.map((state) => [{ state }, Number(state === session.state)] as const);
  const verdicts = [
    [{ verdict: 'kept' }, session.kept] as const,
    [{ verdict: 'discarded' }, session.discarded] as const,
  ];
  const each = (value: (stream: StreamStatus) => number | undefined): Samples =>
    streams.map((one) => [{ topic: one.topic, stream: one.stream ?? '' }, value(one)]);
  return [
    ['state', 'gauge', 'What the session does: 1 for the state it is in.', states],
    ['takes_total', 'counter', 'Takes of this session by verdict.', verdicts],
    ['take_duration_seconds', 'gauge', 'Length of the take.', one(session.durationSecs)],
    ['queue_bytes', 'gauge', 'Arrived and not yet in the file.', one(session.queuedBytes)],
    ['storage_free_bytes', 'gauge', 'What a take may still use.', one(storage.freeBytes)],
    ['storage_left_takes', 'gauge', 'How many takes like the last one still fit.', one(storage.takesLeft)],
    ['storage_left_seconds', 'gauge', 'How long recording can go on.', one(storage.secsLeft)],
    ['stream_received_total', 'counter', 'Messages that arrived.', each(({ received }) => received)],
    ['stream_lost_total', 'counter', 'Messages refused or missing.', each(({ lost }) => lost)],
    ['stream_bytes_total', 'counter', 'Bytes that arrived.', each(({ bytes }) => bytes)],
    ['stream_rate_hertz', 'gauge', 'Messages per second now.', each(({ rateHz }) => rateHz)],
    [
      'stream_expected_rate_hertz',
      'gauge',
      'What the contract asks for.',
      each((stream) => stream.expectedRateHz),
    ],
    ['stream_silent_seconds', 'gauge', 'Since the last message.', each(({ silentSecs }) => silentSecs)],
    ['stream_largest_gap_seconds', 'gauge', 'Of the take so far.', each((stream) => stream.largestGapSecs)],
    ['stream_age_seconds', 'gauge', 'Of the last message on arrival.', each(({ ageSecs }) => ageSecs)],
    [
      'stream_troubled',
      'gauge',
      '1 while something is wrong with it.',
      each(({ trouble }) => Number(trouble !== undefined)),
    ],
  ];
}

function textOf([name, type, help, samples]: Metric): string {
  const lines = samples.flatMap(([labels, value]) => {
    if (value === undefined) return [];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return [`kinescribe_${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`];
  });
  return `# HELP kinescribe_${name} ${help}\n# TYPE kinescribe_${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`));
}
