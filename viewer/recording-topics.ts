import type { ChannelSpec, MessageValue } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import type { RecordingStatus, StreamStatus } from '../schemas/recording-control.ts';
import { nanosToStamp } from '../schemas/time.ts';

/** The state of a recording session as topics of a live preview. */
export interface RecordingTopic {
  readonly channel: ChannelSpec;
  encode(status: RecordingStatus, time: bigint): Uint8Array;
}

const text = new TextEncoder();
const metadata = new Map<string, string>();

/** What the session does, as JSON for plots, states and raw messages. */
const RECORDING: RecordingTopic = {
  channel: {
    topic: '/kinescribe/recording',
    messageEncoding: 'json',
    schema: {
      name: 'kinescribe.Recording',
      encoding: 'jsonschema',
      data: text.encode(
        JSON.stringify({
          type: 'object',
          properties: {
            state: { type: 'string' },
            episodeId: { type: 'string' },
            task: { type: 'string' },
            operator: { type: 'string' },
            trouble: { type: 'string' },
            durationSecs: { type: 'number' },
            lost: { type: 'number' },
            kept: { type: 'number' },
            discarded: { type: 'number' },
            queuedBytes: { type: 'number' },
            freeBytes: { type: 'number' },
            secsLeft: { type: 'number' },
          },
        }),
      ),
    },
    metadata,
  },
  encode: ({ streams, storage, ...status }) => {
    const { state, episodeId = '', task, operator, trouble = '' } = status;
    const { durationSecs, kept, discarded, queuedBytes } = status;
    const { freeBytes, secsLeft } = storage;
    const lost = streams.reduce((sum, stream) => sum + stream.lost, 0);
    return text.encode(
      JSON.stringify({
        ...{ state, episodeId, task, operator, trouble, durationSecs },
        ...{ lost, kept, discarded, queuedBytes, freeBytes, secsLeft },
      }),
    );
  },
};

const SEPARATOR = '='.repeat(80);
/** ROS package diagnostic_msgs, without its comments. */
const DIAGNOSTIC_ARRAY = {
  name: 'diagnostic_msgs/msg/DiagnosticArray',
  encoding: 'ros2msg',
  data: text.encode(
    [
      'std_msgs/Header header\nDiagnosticStatus[] status',
      'MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id',
      'MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec',
      'MSG: diagnostic_msgs/DiagnosticStatus\nbyte OK=0\nbyte WARN=1\nbyte ERROR=2\nbyte STALE=3\nbyte level\n' +
        'string name\nstring message\nstring hardware_id\nKeyValue[] values',
      'MSG: diagnostic_msgs/KeyValue\nstring key\nstring value',
    ].join(`\n${SEPARATOR}\n`),
  ),
};
const encodeDiagnostics = createEncoder('/kinescribe/streams', DIAGNOSTIC_ARRAY);
const [OK, WARN, STALE] = [0, 1, 3];

/** Rates and losses of the streams, for the panel that every robot's diagnostics go to. */
const STREAMS: RecordingTopic = {
  channel: { topic: '/kinescribe/streams', messageEncoding: 'cdr', schema: DIAGNOSTIC_ARRAY, metadata },
  encode: ({ streams }, time) =>
    encodeDiagnostics({
      header: { stamp: nanosToStamp(time), frame_id: '' },
      status: streams.map(diagnosticOf),
    }),
};

function diagnosticOf({ topic, stream, troubled, ...counts }: StreamStatus): MessageValue {
  const { rateHz, expectedRateHz, received, lost, silentSecs } = counts;
  const expected = expectedRateHz === undefined ? '' : ` of ${expectedRateHz}`;
  return {
    level: received === 0 ? STALE : troubled ? WARN : OK,
    name: stream ?? topic,
    message: `${rateHz.toFixed(1)}${expected} Hz, ${lost} lost`,
    hardware_id: topic,
    values: Object.entries({ rateHz, expectedRateHz, received, lost, silentSecs }).map(([key, value]) => ({
      key,
      value: value === undefined ? '' : String(value),
    })),
  };
}

export const RECORDING_TOPICS: readonly RecordingTopic[] = [RECORDING, STREAMS];
