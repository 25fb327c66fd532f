import type { ChannelSpec } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import type { RecordingStatus } from '../schemas/recording-control.ts';
import { DIAGNOSTICS_SCHEMA, diagnosticArray } from '../schemas/recording-diagnostics.ts';

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

const encodeDiagnostics = createEncoder('/kinescribe/streams', DIAGNOSTICS_SCHEMA);

/** Rates and losses of the streams, for the panel that every robot's diagnostics go to. */
const STREAMS: RecordingTopic = {
  channel: { topic: '/kinescribe/streams', messageEncoding: 'cdr', schema: DIAGNOSTICS_SCHEMA, metadata },
  encode: (status, time) => encodeDiagnostics(diagnosticArray(status, time)),
};

export const RECORDING_TOPICS: readonly RecordingTopic[] = [RECORDING, STREAMS];
