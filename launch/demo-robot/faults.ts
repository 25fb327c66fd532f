import { UsageError } from '../../schemas/errors.ts';
import { ARM_JOINTS } from './robot-model.ts';
import { STREAMS, TOPICS, type Topic } from './streams.ts';

/** From when and for how long a fault acts, seconds since the robot's start; half-open. */
interface Window {
  readonly fromSecs: number;
  readonly forSecs: number;
}

/** Something that goes wrong on purpose, at a known place. */
export type Fault =
  /** The messages sampled in the window never arrive. */
  | (Window & { readonly kind: 'drop'; readonly topic: Topic })
  /** Sampling instants scatter evenly by up to this much to both sides. */
  | (Window & { readonly kind: 'jitter'; readonly topic: Topic; readonly amplitudeSecs: number })
  /** Sensor stamps are off by this much, as after a wrong clock was set. */
  | (Window & { readonly kind: 'clock-step'; readonly topic: Topic; readonly stepSecs: number })
  /** The camera sends its last picture again and again, under new stamps. */
  | (Window & { readonly kind: 'frozen-camera'; readonly topic: Topic })
  /** The camera sends black pictures. */
  | (Window & { readonly kind: 'black-camera'; readonly topic: Topic })
  /** The joint's encoder repeats its last position; its velocity reads zero. */
  | (Window & { readonly kind: 'stuck-joint'; readonly joint: string })
  /** The force along the sensor's z axis reads this limit, as an overloaded cell does. */
  | (Window & { readonly kind: 'force-saturation'; readonly limitNewtons: number })
  /** The first task's gripper closes beside the block. */
  | { readonly kind: 'missed-grasp' };

export type TimedFault = Extract<Fault, Window>;

/** How far beside the block the gripper closes on a missed grasp, metres. */
export const MISS_METRES = 0.06;

const CAMERAS: readonly Topic[] = [TOPICS.frontImage, TOPICS.wristImage];

/** The topic whose messages a fault changes, or undefined for one that changes what happens. */
export function topicOf(fault: Fault): Topic | undefined {
  switch (fault.kind) {
    case 'stuck-joint':
      return TOPICS.jointStates;
    case 'force-saturation':
      return TOPICS.wrench;
    case 'missed-grasp':
      return undefined;
    default:
      return fault.topic;
  }
}

export function isActive({ fromSecs, forSecs }: Window, timeSecs: number): boolean {
  return timeSecs >= fromSecs && timeSecs < fromSecs + forSecs;
}

/** @throws {UsageError} for a fault that this robot cannot have. */
export function checkFaults(faults: readonly Fault[]): void {
  for (const fault of faults) {
    const why = faultOf(fault);
    if (why) throw new UsageError(`Cannot inject fault "${fault.kind}": ${why}.`);
  }
}

function faultOf(fault: Fault): string | undefined {
  if (fault.kind === 'missed-grasp') return undefined;
  if (!(fault.fromSecs >= 0 && fault.forSecs > 0)) {
    return `it must begin at 0 s or later and last longer than 0 s, found ${fault.fromSecs} s for ${fault.forSecs} s`;
  }
  const topic = topicOf(fault);
  const spec = STREAMS.find((each) => each.topic === topic);
  if (!spec?.rateHz) {
    const topics = STREAMS.flatMap((each) => (each.rateHz ? [each.topic] : []));
    return `"${topic}" is not one of the robot's periodic topics: ${topics.join(', ')}`;
  }
  switch (fault.kind) {
    case 'jitter':
      return fault.amplitudeSecs > 0 && fault.amplitudeSecs <= 0.4 / spec.rateHz
        ? undefined
        : `its amplitude must lie between 0 and 0.4 periods (${0.4 / spec.rateHz} s), so that samples stay in order, found ${fault.amplitudeSecs} s`;
    case 'frozen-camera':
    case 'black-camera':
      return CAMERAS.includes(fault.topic) ? undefined : `"${topic}" is not one of ${CAMERAS.join(', ')}`;
    case 'stuck-joint':
      return ARM_JOINTS.includes(fault.joint)
        ? undefined
        : `"${fault.joint}" is not one of ${ARM_JOINTS.join(', ')}`;
    default:
      return undefined;
  }
}
