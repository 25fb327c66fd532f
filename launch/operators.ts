import { setTimeout as delay } from 'node:timers/promises';
import { type PedalKeys, pedalCommands } from '../recorder/pedal.ts';
import { offerToRos } from '../recorder/ros-operator.ts';
import { rosNodeOf } from '../recorder/ros-source.ts';
import type { Source } from '../recorder/source.ts';
import { RecordError, UsageError } from '../schemas/errors.ts';
import type { RecordingControl } from '../schemas/recording-control.ts';
import { RECORDING_KEYS } from '../schemas/recording-keys.ts';
import { keyPresses, type Terminal } from './keyboard.ts';

/** Ways to drive a recording session; several may do so at once. Each ends with its signal. */

/** Key by key, until `q` or `ctrl+c`. */
export async function byKeyboard(
  session: RecordingControl,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<void> {
  for await (const key of keyPresses(terminal, signal)) {
    if (key === 'q' || key === 'ctrl+c') return;
    const command = RECORDING_KEYS[key === '\r' ? ' ' : key];
    if (command) await session.command(command).catch(forgiven);
  }
}

export interface PedalOptions {
  /** The pedal's file, under /dev/input. */
  readonly device: string;
  readonly keys: PedalKeys;
  /** Told of a key that has no command. */
  readonly onUnknown: (code: number) => void;
  readonly signal: AbortSignal;
}

/** @throws {SourceError} when the pedal cannot be read. */
export async function byPedal(
  session: RecordingControl,
  { device, keys, onUnknown, signal }: PedalOptions,
): Promise<void> {
  for await (const command of pedalCommands(device, keys, { signal, onUnknown })) {
    await session.command(command).catch(forgiven);
  }
}

export interface RosGraphOptions {
  readonly source: Source;
  /** Told of what did not work; recording goes on by the other controls. */
  readonly say: (text: string) => void;
}

/**
 * By services and parameters of the ROS 2 graph that the source records; nothing for any other source.
 *
 * @returns ends it; call it before the source is stopped.
 */
export function byRosGraph(session: RecordingControl, { source, say }: RosGraphOptions): () => void {
  const node = rosNodeOf(source);
  if (!node) return () => {};
  try {
    const withdraw = offerToRos(session, { node, clock: source.clock, onRefused: say });
    say(
      'Services in the graph: "ros2 service call /kinescribe/start std_srvs/srv/Trigger", and stop, success, …',
    );
    return withdraw;
  } catch (error) {
    say(
      `Cannot offer services to the ROS 2 graph: ${(error as Error).message}. They need the packages std_srvs, ` +
        'diagnostic_msgs and rcl_interfaces when rclnodejs is installed; the other controls work.',
    );
    return () => {};
  }
}

/** A key that means nothing now, or a disk that the session has told of already. */
function forgiven(error: unknown): void {
  if (!(error instanceof UsageError || error instanceof RecordError)) throw error;
}

export interface TakePlan {
  readonly takes: number;
  /** Length of each. */
  readonly secs: number;
  readonly signal: AbortSignal;
}

/** Takes of equal length, all kept. Another operator, or the take's own end, may be quicker at each step. */
export async function byDuration(
  session: RecordingControl,
  { takes, secs, signal }: TakePlan,
): Promise<void> {
  const overtaken = (error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
  };
  for (let take = 0; take < takes && !signal.aborted; take++) {
    await session.command({ kind: 'start' }).catch(overtaken);
    await delay(secs * 1000, undefined, { signal }).catch(() => {}); // aborted: the session stops the take
    if (signal.aborted) return;
    await session.command({ kind: 'stop' }).catch(overtaken);
    await session.command({ kind: 'keep' }).catch(overtaken);
  }
}
