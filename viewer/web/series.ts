import type { MessageValue } from '../../schemas/message.ts';
import type { EpisodeFacts, StreamFacts } from '../api.ts';
import { isNumbers, mayPlot, type PlotSpec, plotsOf, type ReadNumber, readersOf } from '../plots.ts';
import type { AdvertisedChannel } from '../protocol.ts';
import { type Decode, decoderOf } from './decoders.ts';
import { type LossSpan, lossSpan, silenceSpans } from './loss-span.ts';
import { fetchMessages } from './server.ts';

/** Numbers of a whole episode over time, seconds from its start. */
export interface TimePlot {
  readonly kind: 'time';
  readonly key: string;
  readonly title: string;
  /** Ascending; shared by all lines. */
  readonly times: readonly number[];
  readonly lines: readonly TimeLine[];
  readonly losses: readonly LossSpan[];
  /** How the values at an instant are had where the plot is thinned out; undefined where it has all of them. */
  readonly live: LiveValues | undefined;
}

export interface LiveValues {
  readonly topic: string;
  /** One number per line, of those that are no commands. */
  readonly read: (payload: Uint8Array) => readonly number[];
}

export interface TimeLine {
  readonly label: string;
  /** Null where messages are missing, so that nothing is drawn across a loss. */
  readonly values: readonly (number | null)[];
  /** What was asked for, drawn dashed over what happened. */
  readonly isCommand: boolean;
  /** Place in the palette; a command has that of its answer. */
  readonly colour: number;
}

/** Arrays of numbers, one per message, such as the taxels of a fingertip. */
export interface ArrayPlot {
  readonly kind: 'array';
  readonly key: string;
  readonly title: string;
  readonly times: readonly number[];
  readonly arrays: readonly ArrayLike<number>[];
  readonly rows: number;
  readonly cols: number;
  /** Whether the numbers are pressures of a fingertip. */
  readonly isTouch: boolean;
  /** Zero, or the smallest value of the episode below it: one scale from start to end. */
  readonly min: number;
  /** Largest value of the episode, or of noise. */
  readonly max: number;
}

export type Plot = TimePlot | ArrayPlot;

/** A command older than this is no longer what the robot follows. */
const COMMAND_HOLD_SECS = 0.5;

/** Newtons per taxel: below it a fingertip feels its own noise, which must not look like a touch. */
export const MIN_TOUCH = 0.1;

/** Loads every plot of an episode; commands are laid over what answers them. */
export async function loadPlots(
  facts: EpisodeFacts,
  channels: readonly AdvertisedChannel[],
  isPicture: (type: string) => boolean,
): Promise<readonly Plot[]> {
  const streams = facts.streams.filter(({ type, messageCount }) => messageCount > 1 && !isPicture(type));
  const loaded = await Promise.all(streams.map((stream) => loadStream(facts, stream, channels)));
  const commands = loaded.flat().filter(({ stream }) => stream.role === 'command');
  const others = loaded.flat().filter(({ stream }) => stream.role !== 'command');
  const plots = others.map(({ plot }) => plot);
  for (const { plot: command } of commands) {
    const at = plots.findIndex((plot) => isAnswerOf(plot, command));
    const answer = plots[at];
    if (answer?.kind === 'time' && command.kind === 'time') plots[at] = withCommand(answer, command);
    else plots.push(command);
  }
  return plots;
}

interface LoadedPlot {
  readonly stream: StreamFacts;
  readonly plot: Plot;
}

async function loadStream(
  facts: EpisodeFacts,
  stream: StreamFacts,
  channels: readonly AdvertisedChannel[],
): Promise<readonly LoadedPlot[]> {
  const channel = channels.find(({ topic }) => topic === stream.topic);
  const decode = channel && decoderOf(channel);
  if (!decode) return [];
  const type = stream.type.replace('/msg/', '/');
  if (!mayPlot(type)) return [];
  const stored = await fetchMessages(facts.id, stream.topic);
  const start = BigInt(facts.startTime);
  const times = stored.map(({ logTime }) => Number(logTime - start) / 1e9);
  const messages = stored.map(({ payload }) => decode(payload));
  const losses =
    stream.lostMessages === null
      ? silenceSpans(stream.topic, times, facts.durationSecs)
      : facts.losses.filter(({ topic }) => topic === stream.topic).map((loss) => lossSpan(loss, facts));
  const specs = plotsOf({ type, sample: messages[0], elementNames: [] });
  const name = stream.name ?? stream.topic;
  return specs
    .flatMap((spec): Plot[] => {
      const key = `${stream.topic} ${spec.part}`;
      const title = spec.part ? `${name} · ${spec.part}` : name;
      const readers = readersOf(spec);
      const live =
        stored.length < stream.messageCount
          ? { topic: stream.topic, read: (payload: Uint8Array) => numbersOf(payload, decode, readers) }
          : undefined;
      const labels = spec.xAxis === 'time' ? spec.lines.map(({ label }) => label) : ['sum'];
      const lines = readers.map((read, index) => ({ label: labels[index] ?? '', read }));
      const overTime = { title, ...timePlot(lines, times, messages, losses), live };
      if (spec.xAxis === 'time') return [{ key, ...overTime }];
      const isTouch = type.endsWith('/TactileArray');
      return [
        { key, title, ...arrayPlot(spec, times, messages, isTouch ? MIN_TOUCH : 0), isTouch },
        { key: `${key} sum`, ...overTime },
      ];
    })
    .map((plot) => ({ stream, plot }));
}

function numbersOf(payload: Uint8Array, decode: Decode, readers: readonly ReadNumber[]): readonly number[] {
  const message = decode(payload);
  return readers.map((read) => read(message));
}

function timePlot(
  readers: readonly { readonly label: string; readonly read: ReadNumber }[],
  times: readonly number[],
  messages: readonly MessageValue[],
  losses: readonly LossSpan[],
): Omit<TimePlot, 'key' | 'title' | 'live'> {
  const breaks = losses.map(({ fromSecs }) => ({ time: fromSecs, index: -1 }));
  const order = [...times.map((time, index) => ({ time, index })), ...breaks];
  order.sort((a, b) => a.time - b.time);
  const lines = readers.map(({ label, read }, colour) => {
    const values = order.map(({ index }) => {
      const value = index < 0 ? Number.NaN : read(messages[index]!);
      return Number.isFinite(value) ? value : null;
    });
    return { label, values, colour, isCommand: false };
  });
  return { kind: 'time', times: order.map(({ time }) => time), lines, losses };
}

function arrayPlot(
  spec: PlotSpec,
  times: readonly number[],
  messages: readonly MessageValue[],
  minScale: number,
): Omit<ArrayPlot, 'key' | 'title' | 'isTouch'> {
  const arrays = messages.map((message) => {
    const value = message[spec.part];
    return isNumbers(value) ? value : [];
  });
  const { rows, cols } = (messages[0] ?? {}) as { rows?: unknown; cols?: unknown };
  const count = arrays[0]?.length ?? 0;
  const isGrid = typeof rows === 'number' && typeof cols === 'number' && rows * cols === count;
  let [min, max] = [0, minScale];
  for (const array of arrays) {
    for (let i = 0; i < array.length; i++) {
      min = Math.min(min, array[i]!);
      max = Math.max(max, array[i]!);
    }
  }
  return { kind: 'array', times, arrays, rows: isGrid ? rows : 1, cols: isGrid ? cols : count, min, max };
}

/** Whether a plot shows the same elements that a command asks for. */
function isAnswerOf(plot: Plot, command: Plot): boolean {
  if (plot.kind !== 'time' || command.kind !== 'time') return false;
  const labels = new Set(plot.lines.map(({ label }) => label));
  return command.lines.some(({ label }) => labels.has(label));
}

/** Lays what was asked for over what happened: at each instant the latest command holds. */
function withCommand(answer: TimePlot, command: TimePlot): TimePlot {
  const dashed = command.lines.flatMap(({ label, values }): TimeLine[] => {
    const line = answer.lines.find((each) => each.label === label);
    if (!line) return [];
    const held = answer.times.map((time) => {
      const index = indexAt(command.times, time);
      return index >= 0 && time - command.times[index]! < COMMAND_HOLD_SECS ? (values[index] ?? null) : null;
    });
    return [{ label, values: held, colour: line.colour, isCommand: true }];
  });
  return { ...answer, title: `${answer.title} and ${command.title}`, lines: [...answer.lines, ...dashed] };
}

/** Place of the last time at or before an instant; -1 where there is none. */
export function indexAt(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
