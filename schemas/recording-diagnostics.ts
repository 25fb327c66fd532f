import type { MessageSchema, MessageValue } from './message.ts';
import type { RecordingStatus, StreamStatus } from './recording-control.ts';
import { nanosToStamp } from './time.ts';

const SEPARATOR = '='.repeat(80);

/** `diagnostic_msgs/msg/DiagnosticArray`, without the comments of its package. */
export const DIAGNOSTICS_SCHEMA: MessageSchema = {
  name: 'diagnostic_msgs/msg/DiagnosticArray',
  encoding: 'ros2msg',
  data: new TextEncoder().encode(
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

/** Levels of `diagnostic_msgs/msg/DiagnosticStatus`. */
const OK = 0;
const WARN = 1;
const ERROR = 2;
const STALE = 3;

/** With less than this left the disk is worth a warning, seconds. */
const SHORT_SECS = 300;

/** A recording session as `diagnostic_msgs/msg/DiagnosticArray`: itself, its disk, and every stream. */
export function diagnosticArray(status: RecordingStatus, time: bigint): MessageValue {
  return {
    header: { stamp: nanosToStamp(time), frame_id: '' },
    status: [sessionStatus(status), storageStatus(status), ...status.streams.map(streamStatus)],
  };
}

function sessionStatus(status: RecordingStatus): MessageValue {
  const { state, paused, episodeId, durationSecs, trouble, task, operator, kept, discarded } = status;
  return entry('session', {
    level: trouble ? ERROR : OK,
    message: trouble ?? (paused ? 'paused' : state),
    values: { episode: episodeId, durationSecs, task, operator, kept, discarded },
  });
}

function storageStatus({ storage }: RecordingStatus): MessageValue {
  const { freeBytes, secsLeft, takesLeft, exhausted } = storage;
  const isShort = secsLeft !== undefined && secsLeft < SHORT_SECS;
  return entry('storage', {
    level: exhausted ? ERROR : isShort ? WARN : OK,
    message: exhausted ? 'full' : isShort ? 'nearly full' : 'room left',
    values: { freeBytes, secsLeft, takesLeft },
  });
}

function streamStatus(status: StreamStatus): MessageValue {
  const { topic, stream, received, lost, bytes, rateHz, expectedRateHz, trouble } = status;
  const { silentSecs, largestGapSecs, ageSecs } = status;
  const expected = expectedRateHz === undefined ? '' : ` of ${expectedRateHz}`;
  const rate = `${rateHz.toFixed(1)}${expected} Hz, ${lost} lost`;
  return entry(`stream ${stream ?? topic}`, {
    level: received === 0 ? STALE : trouble ? ERROR : OK,
    message: trouble ? `${trouble}: ${rate}` : rate,
    values: { topic, rateHz, expectedRateHz, received, lost, bytes, silentSecs, largestGapSecs, ageSecs },
  });
}

interface Entry {
  readonly level: number;
  readonly message: string;
  readonly values: Readonly<Record<string, string | number | undefined>>;
}

/** One `diagnostic_msgs/msg/DiagnosticStatus`; what is undefined is left out. */
function entry(name: string, { level, message, values }: Entry): MessageValue {
  return {
    level,
    name: `kinescribe: ${name}`,
    message,
    hardware_id: '',
    values: Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ({ key, value: String(value) })),
  };
}
