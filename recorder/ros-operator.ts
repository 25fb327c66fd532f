import { EVENTS_CHANNEL } from '../schemas/episode-events.ts';
import { RecordError, UsageError } from '../schemas/errors.ts';
import type { MessageValue } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import type { RecordingCommand, RecordingControl, RecordingStatus } from '../schemas/recording-control.ts';
import { DIAGNOSTICS_SCHEMA, diagnosticArray } from '../schemas/recording-diagnostics.ts';
import { RECORDING_WORDS } from '../schemas/recording-keys.ts';
import type { Clock } from '../schemas/time.ts';
import type { RosNode } from './ros-node.ts';

export interface RosOperatorOptions {
  readonly node: RosNode;
  /** Stamps what is said. */
  readonly clock: Clock;
  /** Told of a command by parameter that was not carried out; a service answers its caller. */
  readonly onRefused: (message: string) => void;
}

export const STATUS_TOPIC = '~/status';
const DIAGNOSTICS_TOPIC = '/diagnostics';
/** What monitors of /diagnostics expect. */
const DIAGNOSTICS_MILLIS = 1000;
/** Everyone who comes later gets the last message. */
const LATCHED = { reliability: 'reliable', durability: 'transient_local', depth: 1 } as const;
const LIVE = { reliability: 'reliable', durability: 'volatile', depth: 1 } as const;

/** The words of the next take that are parameters; an empty one is none. */
const WORDS = ['task', 'operator', 'scene', 'object'] as const;
type Word = (typeof WORDS)[number];

/**
 * Lets the ROS 2 graph drive a recording session: services `~/start`, `~/stop` and so on
 * (`std_srvs/srv/Trigger`), parameters `task`, `operator`, `scene`, `object`, the latched topic `~/status`
 * (`std_msgs/msg/String` with JSON) and `/diagnostics`. Standard types alone, so that nobody builds ours.
 *
 * @returns takes the offer back.
 * @throws {Error} the binding's own, when one of these types is not installed.
 */
export function offerToRos(
  control: RecordingControl,
  { node, clock, onRefused }: RosOperatorOptions,
): () => void {
  // No toggle: of two operators who press at once, one would undo the other.
  const services = [...RECORDING_WORDS]
    .filter(([word]) => word !== 'toggle')
    .map(([word, command]) =>
      node.serve(`~/${word}`, 'std_srvs/srv/Trigger', () => answerOf(control, command)),
    );
  const setters = WORDS.map((word) => [word, declareWord(control, { node, word, onRefused })] as const);

  const encodeText = createEncoder(STATUS_TOPIC, EVENTS_CHANNEL.schema!);
  const status = node.advertise(STATUS_TOPIC, 'std_msgs/msg/String', LATCHED);
  let told: RecordingStatus | undefined;
  const tell = () => {
    const now = control.status();
    for (const [word, set] of setters) {
      if (told?.[word] !== now[word]) set(now[word] ?? ''); // each setting is an event on /parameter_events
    }
    told = now;
    status.publish(encodeText({ data: JSON.stringify(statusOf(now)) }));
  };
  tell();
  const unlisten = control.listen(tell);
  const diagnostics = node.advertise(DIAGNOSTICS_TOPIC, DIAGNOSTICS_SCHEMA.name, LIVE);
  const encodeDiagnostics = createEncoder(DIAGNOSTICS_TOPIC, DIAGNOSTICS_SCHEMA);
  const beat = setInterval(
    () => diagnostics.publish(encodeDiagnostics(diagnosticArray(control.status(), clock.now()))),
    DIAGNOSTICS_MILLIS,
  ).unref();
  return () => {
    clearInterval(beat);
    unlisten();
    for (const each of [...services, status, diagnostics]) each.close();
  };
}

/** The response of `std_srvs/srv/Trigger`: what the session is at now, or why it did not obey. */
async function answerOf(control: RecordingControl, command: RecordingCommand): Promise<MessageValue> {
  try {
    await control.command(command);
    const { state, episodeId } = control.status();
    return { success: true, message: episodeId ? `${state} ${episodeId}` : state };
  } catch (error) {
    return { success: false, message: reasonOf(error) };
  }
}

interface WordOptions extends Pick<RosOperatorOptions, 'node' | 'onRefused'> {
  readonly word: Word;
}

function declareWord(
  control: RecordingControl,
  { node, word, onRefused }: WordOptions,
): (value: string) => void {
  const listed = (value: string): string | undefined => {
    const { tasks, scenes, objects } = control.status();
    if (word === 'operator') return value ? undefined : 'an operator has a name';
    const known = { task: tasks, scene: ['', ...scenes], object: ['', ...objects] }[word];
    return known.includes(value) ? undefined : `the contract lists ${JSON.stringify(known)}`;
  };
  return node.declareText({
    name: word,
    value: control.status()[word] ?? '',
    check: listed,
    changed: (value) => {
      control
        .command({ kind: 'describe', [word]: value === '' ? null : value })
        .catch((error: unknown) => onRefused(reasonOf(error)));
    },
  });
}

/** What a program that watches needs; the growing counts are on /diagnostics. */
function statusOf(status: RecordingStatus): object {
  const { state, episodeId, paused, session, task, operator, scene, object, plan } = status;
  const { quality, kept, discarded, trouble, storage, streams } = status;
  return {
    ...{ state, episodeId, paused, session, task, operator, scene, object, plan },
    ...{ quality, kept, discarded, trouble, storage },
    troubledTopics: streams.filter(({ trouble }) => trouble).map(({ topic }) => topic),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof RecordError) return error.message;
  return `This is a fault of the recorder itself: ${String(error)}`;
}
