import { findingsFileSchema } from '../schemas/finding.ts';
import { labelEntrySchema, statementSchema } from '../schemas/labels.ts';
import { checkedPart, labelledPart, recordedPart } from '../schemas/library-entry.ts';
import { recordingCommandSchema } from '../schemas/recording-control.ts';
import { countNumber, z } from '../schemas/validation.ts';
import { episodeQuerySchema } from './episode-query.ts';
import { LAYOUT_FORMATS } from './layout.ts';

/** What a client sends and gets as JSON; instants are decimal strings. */
const jsonOf = (schema: z.ZodType) => {
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
};

const summarySchema = z.object({
  id: z.string(),
  fileName: z.string(),
  bytes: countNumber,
  ...recordedPart.shape,
  ...labelledPart.shape,
  ...checkedPart.shape,
});
const values = z.array(z.string());
const listSchema = z.object({
  episodes: z.array(summarySchema),
  matched: countNumber,
  total: countNumber,
  pending: countNumber,
  facets: z.object({ task: values, operator: values, session: values, scene: values, object: values }),
  isRecording: z.boolean(),
});
const neighboursSchema = z.object({
  position: countNumber.nullable(),
  matched: countNumber,
  previous: z.string().nullable(),
  next: z.string().nullable(),
});
const labelsSchema = z.object({
  current: z.record(z.string(), z.unknown()),
  entries: z.array(labelEntrySchema),
  unreadableLines: countNumber,
});
const findingsSchema = z.object({ report: findingsFileSchema.nullable() });
const errorSchema = z.object({ error: z.string().describe('What was wrong, and what to do next') });

const ID = { name: 'id', in: 'path', required: true, schema: { type: 'string' }, description: 'Episode' };

/** The query of a list, one parameter per key. */
const QUERY = Object.entries(episodeQuerySchema.shape).map(([name, schema]) => ({
  name,
  in: 'query',
  required: false,
  schema: jsonOf(schema),
}));

function parameter(name: string, place: 'path' | 'query', schema: object) {
  return { name, in: place, required: place === 'path', schema };
}

function answer(description: string, mediaType: string, schema: object = {}) {
  return { description, content: { [mediaType]: { schema } } };
}

const json = (description: string, schema: z.ZodType | object = {}) =>
  answer(description, 'application/json', schema instanceof z.ZodType ? jsonOf(schema) : schema);
const fault = (description: string) => json(description, errorSchema);

const REFUSALS = {
  401: fault('The token is missing or wrong'),
  403: fault('The host or the origin is not allowed'),
};
const NO_EPISODE = { 404: fault('There is no such episode, or nothing of this kind of it') };

interface Operation {
  readonly summary: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<number, object>>;
}

function operation({ responses, ...rest }: Operation) {
  return { ...rest, responses: { ...responses, ...REFUSALS } };
}

function body(schema: z.ZodType) {
  return { required: true, content: { 'application/json': { schema: jsonOf(schema) } } };
}

const REFUSED_BODY = {
  400: fault('The body is not what the schema says'),
  413: fault('The body is too long'),
  415: fault('The body is not sent as application/json'),
};

/** The description of this server's HTTP interface, OpenAPI 3.1: `GET /api/openapi.json`. */
export const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Kinescribe',
    version: '1',
    description:
      'Episodes of a library: what they are, what they hold, what the checks and people say of them. Recordings ' +
      'are only read; labels are only added. Instants are nanoseconds since the Unix epoch as decimal strings.',
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer' },
      query: { type: 'apiKey', in: 'query', name: 'token' },
    },
  },
  security: [{}, { bearer: [] }, { query: [] }],
  paths: {
    '/api/openapi.json': {
      get: operation({ summary: 'This description', responses: { 200: json('OpenAPI 3.1') } }),
    },
    '/api/episodes': {
      get: operation({
        summary: 'Episodes by search, filter and order',
        parameters: QUERY,
        responses: { 200: json('A part of the list', listSchema), 400: fault('The query is none') },
      }),
    },
    '/api/events': {
      get: operation({
        summary: 'Server-Sent Events: an episode appeared, went, or something new was said of it',
        responses: {
          200: answer('Each event is {"id": "<episode>"}', 'text/event-stream'),
          503: fault('Too many pages are watching'),
        },
      }),
    },
    '/api/episodes/{id}': {
      get: operation({
        summary: 'Streams, rates and losses of an episode',
        parameters: [ID],
        responses: { 200: json('Its facts', summarySchema), ...NO_EPISODE },
      }),
    },
    '/api/episodes/{id}/neighbours': {
      get: operation({
        summary: 'What lies before and after an episode in a list',
        parameters: [ID, ...QUERY],
        responses: {
          200: json('Its place', neighboursSchema),
          400: fault('The query is none'),
          ...NO_EPISODE,
        },
      }),
    },
    '/api/episodes/{id}/labels': {
      get: operation({
        summary: 'What was said of an episode, and what of it holds now',
        parameters: [ID],
        responses: { 200: json('Its labels', labelsSchema), ...NO_EPISODE },
      }),
      post: operation({
        summary: 'Says something of an episode; an undo or a replacement names the id of an earlier entry',
        parameters: [ID],
        requestBody: body(statementSchema),
        responses: {
          200: json('Said before under the same id: nothing was added', labelsSchema),
          201: json('All labels, the new one among them', labelsSchema),
          409: fault('It names an entry that nobody made'),
          ...REFUSED_BODY,
          ...NO_EPISODE,
        },
      }),
    },
    '/api/episodes/{id}/findings': {
      get: operation({
        summary: 'What the checks found',
        parameters: [ID],
        responses: { 200: json('Their report; null where there is none', findingsSchema), ...NO_EPISODE },
      }),
    },
    '/api/episodes/{id}/thumbnails.jpg': {
      get: operation({
        summary: 'Six pictures of the first camera beside each other, in order of time',
        parameters: [ID],
        responses: { 200: answer('The strip', 'image/jpeg'), ...NO_EPISODE },
      }),
    },
    '/api/episodes/{id}/messages': {
      get: operation({
        summary: 'All messages of a topic, thinned out where there are more than asked for',
        parameters: [
          ID,
          parameter('topic', 'query', { type: 'string' }),
          parameter('maxMessages', 'query', {
            type: 'integer',
            minimum: 1,
            maximum: 100_000,
            default: 10_000,
          }),
        ],
        responses: {
          200: answer(
            'Each message as a MessageData frame of the Foxglove protocol behind its length as uint32, little-endian',
            'application/octet-stream',
          ),
          ...NO_EPISODE,
        },
      }),
    },
    '/files/{id}.mcap': {
      get: operation({
        summary: 'The recording, by HTTP Range',
        parameters: [ID],
        responses: {
          200: answer('All of it', 'application/octet-stream'),
          206: answer('The range', 'application/octet-stream'),
          416: fault('There is nothing in the range'),
          ...NO_EPISODE,
        },
      }),
    },
    '/layouts/{id}.{format}.json': {
      get: operation({
        summary: 'A layout for the episode, to import into a viewer',
        parameters: [ID, parameter('format', 'path', { type: 'string', enum: LAYOUT_FORMATS })],
        responses: { 200: json('The layout'), ...NO_EPISODE },
      }),
    },
    '/api/recording': {
      get: operation({
        summary: 'The recording session, where one is served',
        responses: { 200: json('Its status'), 404: fault('No session is served here') },
      }),
      post: operation({
        summary: 'Steers the recording session',
        requestBody: body(recordingCommandSchema),
        responses: {
          200: json('The status after it'),
          404: fault('No session is served here'),
          409: fault('The state does not allow it'),
          507: fault('The disk fails'),
          ...REFUSED_BODY,
        },
      }),
    },
    '/api/recording/events': {
      get: operation({
        summary: 'Server-Sent Events: the status of the recording session, whenever it changes',
        responses: {
          200: answer('Each event is a status', 'text/event-stream'),
          404: fault('None is served here'),
        },
      }),
    },
  },
} as const;
