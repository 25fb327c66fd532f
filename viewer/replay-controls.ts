import { nanosToSecs, secsToNanos } from '../schemas/time.ts';
import { z } from '../schemas/validation.ts';
import type { PlaybackChange } from './player.ts';
import type { AdvertisedService, Parameter, PlaybackState } from './protocol.ts';

/**
 * Playback by services and parameters, for clients without a playback bar of their own (Lichtblick, and
 * every client of the older subprotocol).
 */

/** The part of the episode that can be played; both instants can be shown. */
export interface PlaybackRange {
  readonly startTime: bigint;
  readonly lastTime: bigint;
}

interface ReplayService {
  readonly name: string;
  /** JSON Schema of the request's fields. */
  readonly properties: Readonly<Record<string, object>>;
  /** @throws {z.ZodError} when the request does not fit. */
  readonly change: (request: unknown, state: PlaybackState, range: PlaybackRange) => ReplayWish;
}

/** What a client wants: another instant or pace, or another episode. */
export interface ReplayWish extends PlaybackChange {
  readonly episodeId?: string;
}

const seekRequest = z.object({ offset_secs: z.number() });
const openRequest = z.object({ episode: z.string() });
const speedRequest = z.object({ speed: z.number().positive() });

/** A service's id is its place in this list, from 1. */
const SERVICES: readonly ReplayService[] = [
  { name: '/replay/play', properties: {}, change: (_, state, range) => play(state, range) },
  { name: '/replay/pause', properties: {}, change: () => ({ playing: false }) },
  {
    name: '/replay/seek',
    properties: { offset_secs: { type: 'number', description: 'Seconds from the start.' } },
    change: (request, _, { startTime }) => ({
      seekTime: startTime + secsToNanos(seekRequest.parse(request).offset_secs),
    }),
  },
  {
    name: '/replay/speed',
    properties: { speed: { type: 'number', description: 'Recorded seconds per second.' } },
    change: (request) => ({ speed: speedRequest.parse(request).speed }),
  },
  {
    name: '/replay/open',
    properties: { episode: { type: 'string', description: 'Id of an episode; see /replay.episodes.' } },
    change: (request) => ({ episodeId: openRequest.parse(request).episode }),
  },
];

/** Played again from the start once it has ended. */
function play({ status }: PlaybackState, { startTime }: PlaybackRange): PlaybackChange {
  return { playing: true, ...(status === 'ended' && { seekTime: startTime }) };
}

export const ADVERTISED_SERVICES: readonly AdvertisedService[] = SERVICES.map(
  ({ name, properties }, index) => ({
    id: index + 1,
    name,
    type: 'kinescribe/Replay',
    // Names must differ: Lichtblick takes two definitions of one name for a change.
    request: jsonSchema(`${name} request`, properties),
    response: jsonSchema('/replay response', { status: { type: 'string' }, offset_secs: { type: 'number' } }),
  }),
);

function jsonSchema(schemaName: string, properties: Readonly<Record<string, object>>) {
  return {
    encoding: 'json',
    schemaName,
    schemaEncoding: 'jsonschema',
    schema: JSON.stringify({ type: 'object', properties, required: Object.keys(properties) }),
  };
}

/** What a call asks of the playback, or in one sentence why it cannot be done. */
export function changeOfService(
  serviceId: number,
  payload: Uint8Array,
  state: PlaybackState,
  range: PlaybackRange,
): ReplayWish | { readonly fault: string } {
  const service = SERVICES[serviceId - 1];
  if (!service) return { fault: `No service has id ${serviceId}` };
  try {
    const text = new TextDecoder().decode(payload);
    return service.change(text.trim() === '' ? {} : JSON.parse(text), state, range);
  } catch (error) {
    const fields = Object.keys(service.properties).join(', ') || 'none';
    return {
      fault: `Request of ${service.name} is not JSON with its fields (${fields}): ${messageOf(error)}`,
    };
  }
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** The playback as parameters. */
export function replayParameters(
  { status, speed, currentTime }: PlaybackState,
  { startTime }: PlaybackRange,
): readonly Parameter[] {
  return [
    { name: '/replay.playing', value: status === 'playing' },
    { name: '/replay.speed', type: 'float64', value: speed },
    { name: '/replay.offset_secs', type: 'float64', value: nanosToSecs(currentTime - startTime) },
  ];
}

/** What setting parameters asks of the playback; names and values that mean nothing are passed over. */
export function changeOfParameters(
  parameters: readonly Parameter[],
  state: PlaybackState,
  range: PlaybackRange,
): ReplayWish {
  let change: ReplayWish = {};
  for (const { name, value } of parameters) {
    if (name === '/replay.playing' && typeof value === 'boolean') {
      change = { ...change, ...(value ? play(state, range) : { playing: false }) };
    }
    if (name === '/replay.episode' && typeof value === 'string') change = { ...change, episodeId: value };
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    if (name === '/replay.speed') change = { ...change, speed: value };
    if (name === '/replay.offset_secs') {
      change = { ...change, seekTime: range.startTime + secsToNanos(value) };
    }
  }
  return change;
}
