import type { MessageValue } from '../schemas/message.ts';
import type { RecordingStatus, StreamStatus } from '../schemas/recording-control.ts';
import { nanosToStamp } from '../schemas/time.ts';

/** Levels of `diagnostic_msgs/msg/DiagnosticStatus`. */
const OK = 0;
const WARN = 1;
const ERROR = 2;

/** With less than this left the disk is worth a warning, seconds. */
const SHORT_SECS = 300;

/** A recording session as `diagnostic_msgs/msg/DiagnosticArray`: itself, its disk, and every stream. */
export function diagnosticArray(status: RecordingStatus, now: Date): MessageValue {
  return {
    header: { stamp: nanosToStamp(BigInt(now.getTime()) * 1_000_000n), frame_id: '' },
    status: [sessionStatus(status), storageStatus(status), ...status.streams.map(streamStatus)],
  };
}

function sessionStatus(status: RecordingStatus): MessageValue {
  const { state, paused, episodeId, durationSecs, trouble, task, operator, kept, discarded } = status;
  return entry('session', {
    level: trouble ? ERROR : OK,
    message: trouble ?? (paused ? 'paused' : state),
    values: { episode: episodeId, duration_secs: durationSecs.toFixed(1), task, operator, kept, discarded },
  });
}

function storageStatus({ storage }: RecordingStatus): MessageValue {
  const { freeBytes, secsLeft, exhausted } = storage;
  const isShort = secsLeft !== undefined && secsLeft < SHORT_SECS;
  return entry('storage', {
    level: exhausted ? ERROR : isShort ? WARN : OK,
    message: exhausted ? 'full' : isShort ? 'nearly full' : 'room left',
    values: { free_bytes: freeBytes, secs_left: secsLeft?.toFixed(0) },
  });
}

function streamStatus(stream: StreamStatus): MessageValue {
  const { topic, received, lost, bytes, rateHz, expectedRateHz, silentSecs, troubled } = stream;
  return entry(`stream ${stream.stream ?? topic}`, {
    level: troubled ? ERROR : OK,
    message: troubled ? 'in trouble' : 'well',
    values: {
      ...{ topic, received, lost, bytes },
      ...{ rate_hz: rateHz.toFixed(1), expected_rate_hz: expectedRateHz, silent_secs: silentSecs.toFixed(2) },
    },
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
