import { UsageError } from '../../schemas/errors.ts';
import { ARM_JOINTS } from './robot-model.ts';
import { STREAMS, TOPICS, type Topic } from './streams.ts';

/** From when and for how long a fault acts, seconds since the robot's start; half-open. */
interface Window {
  readonly fromSecs: number;
  readonly forSecs: number;
}

/** Something that goes wrong on purpose, at a known place. */
export type Fault = TimedFault | { readonly kind: 'missed-grasp' };

/** One that acts for some time. */
export type TimedFault = Window &
  (StreamFault | PictureFault | JointFault | CommandFault | TouchFault | WorldFault);

/** What happens to the messages of any periodic topic. */
type StreamFault =
  /** The messages sampled in the window never arrive. */
  | { readonly kind: 'drop'; readonly topic: Topic }
  /** Sampling instants scatter evenly by up to this much to both sides. */
  | { readonly kind: 'jitter'; readonly topic: Topic; readonly amplitudeSecs: number }
  /** Sensor stamps are off by this much, as after a wrong clock was set. */
  | { readonly kind: 'clock-step'; readonly topic: Topic; readonly stepSecs: number }
  /** What was measured this long ago comes under the stamp of now. */
  | { readonly kind: 'stale'; readonly topic: Topic; readonly bySecs: number };

/** What is wrong with the pictures of a camera. */
export type PictureFault = { readonly topic: Topic } & (
  | /** The camera sends its last picture again and again, under new stamps. */
  { readonly kind: 'frozen-camera' }
  /** The camera sends black pictures. */
  | { readonly kind: 'black-camera' }
  /** Out of focus: each pixel is the mean of those up to this many pixels around it, twice over. */
  | { readonly kind: 'blurred-camera'; readonly pixels: number }
  /** Brightness times this, cut off at white. */
  | { readonly kind: 'exposure'; readonly gain: number }
  /** Deviations from grey times this. */
  | { readonly kind: 'flat-picture'; readonly contrast: number }
  /** The view shifts to the side by this many pixels. */
  | { readonly kind: 'moved-camera'; readonly pixels: number }
  /** It stands where the other camera stands. */
  | { readonly kind: 'swapped-camera' }
  /** The second half of the JPEG is missing. */
  | { readonly kind: 'cut-picture' }
  /** Half as wide and half as high. */
  | { readonly kind: 'small-picture' }
  /** Compressed at this quality of libjpeg. */
  | { readonly kind: 'squeezed-picture'; readonly quality: number }
);

/** What joints report that is not so; positions in radians. */
export type JointFault =
  /** The joint's encoder repeats its last position; its velocity reads zero. */
  | { readonly kind: 'stuck-joint'; readonly joint: string }
  /** All joints repeat their last state. */
  | { readonly kind: 'frozen-joints' }
  /** A wrong zero, or a wrapped encoder. */
  | { readonly kind: 'joint-offset'; readonly joint: string; readonly radians: number }
  /** Every so-many-th sample stands off by this much. */
  | {
      readonly kind: 'joint-spikes';
      readonly joint: string;
      readonly radians: number;
      readonly every: number;
    }
  | {
      readonly kind: 'joint-tremor';
      readonly joint: string;
      readonly radians: number;
      readonly rateHz: number;
    }
  | { readonly kind: 'velocity-scale'; readonly factor: number }
  /** Rotations of /tf are this long. */
  | { readonly kind: 'rotation-length'; readonly length: number };

/** What the robot is told, as the topic of commands has it; the arm does as it was really told. */
export type CommandFault =
  | { readonly kind: 'command-nan'; readonly joint: string }
  /** To the side and back again by this much, after every so many seconds. */
  | {
      readonly kind: 'command-jumps';
      readonly joint: string;
      readonly radians: number;
      readonly everySecs: number;
    }
  /** The command stands there. */
  | { readonly kind: 'command-held'; readonly joint: string; readonly radians: number }
  /** The command is the last state. */
  | { readonly kind: 'command-copy' };

/** What forces, gripper and skin report that is not so. */
export type TouchFault =
  /** The force along the sensor's z axis reads this limit, as an overloaded cell does. */
  | { readonly kind: 'force-saturation'; readonly limitNewtons: number }
  /** Along x. */
  | { readonly kind: 'force-bias'; readonly newtons: number }
  /** Along x, from the beginning of the window on; it stays at its end. */
  | { readonly kind: 'force-drift'; readonly newtonsPerSec: number }
  /** Normal noise on every axis of force. */
  | { readonly kind: 'force-noise'; readonly newtons: number }
  /** The torque about x reads its first value. */
  | { readonly kind: 'stuck-torque' }
  /** Pushed along x this often a second, half of the time. */
  | { readonly kind: 'force-chatter'; readonly newtons: number; readonly rateHz: number }
  | { readonly kind: 'gripper-chatter'; readonly metres: number; readonly rateHz: number }
  /** The gripper reports the aperture of the beginning. */
  | { readonly kind: 'stuck-gripper' }
  /** The gripper reports no effort. */
  | { readonly kind: 'numb-gripper' }
  | { readonly kind: 'dead-taxels'; readonly taxels: readonly number[] }
  /** The skin keeps this share of the strongest press. */
  | { readonly kind: 'sticky-skin'; readonly share: number };

/** What happens in the world. */
type WorldFault =
  /** At the beginning of the window the block is taken away and put down beside. */
  { readonly kind: 'taken-block' };

/** How far beside the block the gripper closes on a missed grasp, metres. */
export const MISS_METRES = 0.06;

const CAMERAS: readonly Topic[] = [TOPICS.frontImage, TOPICS.wristImage];

/** Topics of faults that can only be of one. */
const ONLY: Readonly<Partial<Record<Fault['kind'], Topic>>> = {
  'stuck-joint': TOPICS.jointStates,
  'frozen-joints': TOPICS.jointStates,
  'joint-offset': TOPICS.jointStates,
  'joint-spikes': TOPICS.jointStates,
  'joint-tremor': TOPICS.jointStates,
  'velocity-scale': TOPICS.jointStates,
  'rotation-length': TOPICS.tf,
  'command-nan': TOPICS.jointCommands,
  'command-jumps': TOPICS.jointCommands,
  'command-held': TOPICS.jointCommands,
  'command-copy': TOPICS.jointCommands,
  'force-saturation': TOPICS.wrench,
  'force-bias': TOPICS.wrench,
  'force-drift': TOPICS.wrench,
  'force-noise': TOPICS.wrench,
  'stuck-torque': TOPICS.wrench,
  'force-chatter': TOPICS.wrench,
  'gripper-chatter': TOPICS.gripperState,
  'stuck-gripper': TOPICS.gripperState,
  'numb-gripper': TOPICS.gripperState,
  'dead-taxels': TOPICS.tactile,
  'sticky-skin': TOPICS.tactile,
};

/** The topic whose messages a fault changes, or undefined for one that changes what happens. */
export function topicOf(fault: Fault): Topic | undefined {
  return 'topic' in fault ? fault.topic : ONLY[fault.kind];
}

/** Whether a fault changes the pictures of a camera. */
export function isPictureFault(fault: Fault): fault is Window & PictureFault {
  return 'topic' in fault && PICTURE_KINDS.has(fault.kind);
}

const PICTURE_KINDS: ReadonlySet<string> = new Set<PictureFault['kind']>([
  'frozen-camera',
  'black-camera',
  'blurred-camera',
  'exposure',
  'flat-picture',
  'moved-camera',
  'swapped-camera',
  'cut-picture',
  'small-picture',
  'squeezed-picture',
]);

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
  if (fault.kind === 'taken-block') return undefined;
  const topic = topicOf(fault);
  const spec = STREAMS.find((each) => each.topic === topic);
  if (!spec?.rateHz) {
    const topics = STREAMS.flatMap((each) => (each.rateHz ? [each.topic] : []));
    return `"${topic}" is not one of the robot's periodic topics: ${topics.join(', ')}`;
  }
  if (fault.kind === 'jitter' && !(fault.amplitudeSecs > 0 && fault.amplitudeSecs <= 0.4 / spec.rateHz)) {
    return `its amplitude must lie between 0 and 0.4 periods (${0.4 / spec.rateHz} s), so that samples stay in order, found ${fault.amplitudeSecs} s`;
  }
  if (isPictureFault(fault) && !CAMERAS.includes(fault.topic)) {
    return `"${topic}" is not one of ${CAMERAS.join(', ')}`;
  }
  if ('joint' in fault && !ARM_JOINTS.includes(fault.joint)) {
    return `"${fault.joint}" is not one of ${ARM_JOINTS.join(', ')}`;
  }
  return undefined;
}
