import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { isGripper, isJointCommand, isJointState, jointsOf } from '../motion/joints.ts';
import { isDescription, RobotDescription } from '../motion/robot-description.ts';
import type { CheckedStream, Subject } from '../subject.ts';

export const NO_GRIPPER = 'no joint is called a gripper, finger or jaw';

export interface Gripper {
  readonly stream: CheckedStream;
  readonly joint: string;
  /** Aperture, from the first message on. */
  min: number;
  max: number;
  command: number | undefined;
  /** Declared, else seen of state and command. */
  readonly stroke: () => number;
}

export interface GripperWatch {
  state?(gripper: Gripper, aperture: number, time: bigint): void;
  command?(gripper: Gripper, command: number, time: bigint): void;
  judgement(gripper: Gripper): Judgement | undefined;
}

/** A check of every gripper that a stream of states names, with the command of the same name. */
export function ofGrippers(begin: (subject: Subject) => GripperWatch): Check['watch'] {
  return (subject): Watch => {
    const robot = new RobotDescription(subject);
    const grippers = new Map<string, { readonly gripper: Gripper; readonly watch: GripperWatch }>();
    const commands = new Map<string, number>();
    return {
      wants: (stream) => isJointState(stream) || isJointCommand(stream) || isDescription(stream),
      observe(observation) {
        const { stream, logTime } = observation;
        if (isDescription(stream)) return robot.observe(observation);
        const joints = jointsOf(observation);
        joints?.names.forEach((joint, i) => {
          const position = joints.positions[i]!;
          if (!isGripper(joint) || !Number.isFinite(position)) return;
          if (isJointCommand(stream)) {
            commands.set(joint, position);
            for (const { gripper, watch } of grippers.values()) {
              if (gripper.joint !== joint) continue;
              gripper.command = position;
              watch.command?.(gripper, position, logTime);
            }
            return;
          }
          const { gripper, watch } = entryOf(grippers, `${stream.name}/${joint}`, () => {
            const made: Gripper = {
              ...{ stream, joint, min: position, max: position, command: commands.get(joint) },
              stroke: () => strokeOf(made, robot),
            };
            return { gripper: made, watch: begin(subject) };
          });
          gripper.min = Math.min(gripper.min, position);
          gripper.max = Math.max(gripper.max, position);
          watch.state?.(gripper, position, logTime);
        });
      },
      *findings(_now, facts): Generator<Judgement> {
        for (const { gripper, watch } of grippers.values()) {
          const judgement = watch.judgement(gripper);
          if (!judgement || (!facts && judgement.status === 'not_assessed')) continue;
          yield { stream: gripper.stream, channel: gripper.joint, ...judgement };
        }
        if (facts && grippers.size === 0) yield { status: 'not_assessed', reason: NO_GRIPPER };
      },
    };
  };
}

function strokeOf({ joint, min, max, command }: Gripper, robot: RobotDescription): number {
  const { lower, upper } = robot.limits(joint);
  if (lower !== undefined && upper !== undefined) return upper - lower;
  return Math.max(max, command ?? max) - Math.min(0, min, command ?? min);
}
