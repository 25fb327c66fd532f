import type { MessageValue } from '../../schemas/message.ts';
import type { TimedFault } from './faults.ts';
import { Random } from './random.ts';
import { TOPICS, type Topic } from './streams.ts';

/** What a fault knows besides the message. */
interface Moment {
  readonly topic: Topic;
  /** Since the robot's start. */
  readonly secs: number;
}

/** A node that copies states has to receive them first. */
const COPY_DELAY_SECS = 0.002;
const MOST_STATES = 8;
/** Longest staleness that can be injected, seconds. */
const MOST_STALE_SECS = 2;

/**
 * Makes of what a sensor measured what it reports under faults. Keeps what frozen, stale and copied messages
 * need; messages without a fault pass through as they are.
 */
export class MessageFaults {
  readonly #random: Random;
  readonly #held = new Map<TimedFault, MessageValue>();
  readonly #recent = new Map<Topic, { readonly secs: number; readonly message: MessageValue }[]>();
  readonly #counts = new Map<TimedFault, number>();
  readonly #strongest = new Map<TimedFault, Float64Array>();
  readonly #staleTopics: ReadonlySet<Topic>;
  readonly #states: { readonly secs: number; readonly message: MessageValue }[] = [];

  constructor(seed: number, faults: readonly { readonly kind: string }[]) {
    this.#random = new Random(`${seed}/message-faults`);
    const stale = faults.flatMap((fault) =>
      fault.kind === 'stale' && 'topic' in fault ? [fault.topic as Topic] : [],
    );
    this.#staleTopics = new Set(stale);
  }

  apply(message: MessageValue, faults: readonly TimedFault[], moment: Moment): MessageValue {
    if (this.#staleTopics.has(moment.topic)) this.#remember(message, moment);
    const reported = faults.reduce((changed, fault) => this.#distort(changed, fault, moment), message);
    if (moment.topic === TOPICS.jointStates) {
      this.#states.push({ secs: moment.secs, message: reported });
      if (this.#states.length > MOST_STATES) this.#states.shift();
    }
    return reported;
  }

  #distort(message: MessageValue, fault: TimedFault, { topic, secs }: Moment): MessageValue {
    const since = secs - fault.fromSecs;
    switch (fault.kind) {
      case 'stale':
        return { ...this.#at(topic, secs - fault.bySecs, message), header: message.header };
      case 'frozen-joints':
        return { ...this.#hold(fault, message), header: message.header };
      case 'joint-offset':
        return joint(message, fault.joint, (q) => q + fault.radians);
      case 'joint-spikes': {
        const index = (this.#counts.get(fault) ?? 0) + 1;
        this.#counts.set(fault, index);
        return index % fault.every ? message : joint(message, fault.joint, (q) => q + fault.radians);
      }
      case 'joint-tremor':
        return joint(message, fault.joint, (q) => q + fault.radians * wave(since * fault.rateHz));
      case 'velocity-scale':
        return { ...message, velocity: numbers(message.velocity).map((v) => v * fault.factor) };
      case 'rotation-length':
        return { transforms: list(message.transforms).map((each) => lengthened(each, fault.length)) };
      case 'command-nan':
        return joint(message, fault.joint, () => Number.NaN);
      case 'command-jumps':
        return joint(
          message,
          fault.joint,
          (q) => q + (Math.floor(since / fault.everySecs) % 2 ? fault.radians : 0),
        );
      case 'command-held':
        return joint(message, fault.joint, () => fault.radians);
      case 'command-copy':
        return copied(
          message,
          this.#states.findLast((state) => state.secs <= secs - COPY_DELAY_SECS)?.message ?? message,
        );
      case 'force-bias':
        return force(message, ([x, y, z]) => [x + fault.newtons, y, z]);
      case 'force-drift':
        return force(message, ([x, y, z]) => [x + fault.newtonsPerSec * since, y, z]);
      case 'force-noise':
        return force(message, (each) => each.map((axis) => axis + this.#random.normal() * fault.newtons));
      case 'force-chatter':
        return force(message, ([x, y, z]) => [
          x + (wave(since * fault.rateHz) > 0 ? fault.newtons : 0),
          y,
          z,
        ]);
      case 'stuck-torque':
        return withTorque(message, xTorque(this.#hold(fault, message)));
      case 'gripper-chatter':
        return aperture(message, (w) => w - (wave(since * fault.rateHz) > 0 ? fault.metres : 0));
      case 'stuck-gripper': {
        const [held = 0] = numbers(this.#hold(fault, message).position);
        return { ...aperture(message, () => held), velocity: [0] };
      }
      case 'numb-gripper':
        return { ...message, effort: [0] };
      case 'dead-taxels':
        return skin(message, (pressure, i) => (fault.taxels.includes(i) ? 0 : pressure));
      case 'sticky-skin': {
        const strongest = this.#strongest.get(fault) ?? new Float64Array(64);
        this.#strongest.set(fault, strongest);
        return skin(message, (pressure, i) => {
          strongest[i] = Math.max(strongest[i]!, pressure);
          return Math.max(pressure, fault.share * strongest[i]!);
        });
      }
      default:
        return message; // of the clock, of the camera, of the sensor itself, or of the world
    }
  }

  #hold(fault: TimedFault, message: MessageValue): MessageValue {
    const held = this.#held.get(fault) ?? message;
    this.#held.set(fault, held);
    return held;
  }

  #remember(message: MessageValue, { topic, secs }: Moment): void {
    const recent = this.#recent.get(topic) ?? [];
    this.#recent.set(topic, recent);
    recent.push({ secs, message });
    while (recent[0]!.secs < secs - MOST_STALE_SECS) recent.shift();
  }

  /** The last message of a topic at an instant, or the given one where there is none. */
  #at(topic: Topic, secs: number, otherwise: MessageValue): MessageValue {
    return this.#recent.get(topic)?.findLast((each) => each.secs <= secs)?.message ?? otherwise;
  }
}

function wave(cycles: number): number {
  return Math.sin(2 * Math.PI * cycles);
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

function list(value: unknown): readonly MessageValue[] {
  return Array.isArray(value) ? value : [];
}

function joint(message: MessageValue, name: string, change: (position: number) => number): MessageValue {
  const at = Array.isArray(message.name) ? message.name.indexOf(name) : -1;
  return { ...message, position: numbers(message.position).map((q, i) => (i === at ? change(q) : q)) };
}

function aperture(message: MessageValue, change: (metres: number) => number): MessageValue {
  return { ...message, position: numbers(message.position).map(change) };
}

/** The positions of the joints that both messages name. */
function copied(command: MessageValue, state: MessageValue): MessageValue {
  const [names, positions] = [Array.isArray(state.name) ? state.name : [], numbers(state.position)];
  const asked = Array.isArray(command.name) ? command.name : [];
  const told = numbers(command.position);
  return { ...command, position: asked.map((name, i) => positions[names.indexOf(name)] ?? told[i]) };
}

interface Wrench {
  readonly force: Readonly<Record<'x' | 'y' | 'z', number>>;
  readonly torque: Readonly<Record<'x' | 'y' | 'z', number>>;
}

function isWrench(value: unknown): value is Wrench {
  return typeof value === 'object' && value !== null && 'force' in value && 'torque' in value;
}

function force(
  message: MessageValue,
  change: (force: readonly [number, number, number]) => readonly number[],
): MessageValue {
  const { wrench } = message;
  if (!isWrench(wrench)) return message;
  const [x, y, z] = change([wrench.force.x, wrench.force.y, wrench.force.z]);
  return { ...message, wrench: { ...wrench, force: { x, y, z } } };
}

function xTorque({ wrench }: MessageValue): number {
  return isWrench(wrench) ? wrench.torque.x : 0;
}

function withTorque(message: MessageValue, x: number): MessageValue {
  const { wrench } = message;
  return isWrench(wrench) ? { ...message, wrench: { ...wrench, torque: { ...wrench.torque, x } } } : message;
}

function skin(message: MessageValue, change: (pressure: number, taxel: number) => number): MessageValue {
  return message.pressure instanceof Float32Array
    ? { ...message, pressure: message.pressure.map(change) }
    : message;
}

function lengthened(stamped: MessageValue, length: number): MessageValue {
  const { transform } = stamped as {
    readonly transform?: { readonly rotation: Readonly<Record<string, number>> };
  };
  if (!transform) return stamped;
  const entries = Object.entries(transform.rotation).map(([axis, value]) => [axis, value * length]);
  return { ...stamped, transform: { ...transform, rotation: Object.fromEntries(entries) } };
}
