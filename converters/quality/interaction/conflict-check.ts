import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { isGripper, isJointCommand, isJointState, jointsOf } from '../motion/joints.ts';
import type { CheckedStream } from '../subject.ts';
import { Contacts } from './contact.ts';
import { GripperMachine } from './gripper.ts';
import { isWrench } from './wrench.ts';

/** Of the largest effort of the episode: what a gripper that holds something presses with at least. */
const EFFORT_SHARE = 0.1;
/** Newtons: below, an effort is noise. */
const LEAST_EFFORT = 0.2;

interface Held {
  readonly stream: CheckedStream;
  readonly joint: string;
  readonly machine: GripperMachine;
  min: number;
  max: number;
  command: number | undefined;
  hasEffort: boolean;
  restEffort: number;
  /** When the present grasp began, and whether anything has felt it since the closing. */
  heldFrom: bigint | undefined;
  isFelt: boolean;
  longest: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
  grasps: number;
}

/** What the gripper says against what the forces say. */
export const MODALITY_CONFLICT: Check = {
  id: 'I12',
  title: 'grasp that nothing feels',
  claim: 'RISK',
  runs: 'take',
  unit: 's',
  limits: { warn: 0.5, validated: false },
  explain: {
    cause: 'The force sensor or the gripper’s effort is dead, or the fingers were stopped by something else.',
    formula:
      'Longest grasp (fingers stopped before their command) in which neither effort rises by 10 % of its largest nor ' +
      'force leaves its baseline as far as contact does.',
    remedy: 'Press on the sensor and watch it; look at I05 and I06.',
    example: 'gripper: holds something for 3.2 s that neither effort nor force feels',
    source: 'after Kalanos’ consistency checks; limits of our own',
  },
  watch: (subject): Watch => {
    const grippers = new Map<string, Held>();
    const contacts = new Contacts(subject);
    const commands = new Map<string, number>();
    let mostEffort = 0;
    return {
      wants: (stream) => isWrench(stream) || isJointState(stream) || isJointCommand(stream),
      observe(observation) {
        const { stream, logTime } = observation;
        if (isWrench(stream)) {
          if (!contacts.observe(observation)) return;
          for (const gripper of grippers.values()) gripper.isFelt = true;
          return;
        }
        const joints = jointsOf(observation);
        joints?.names.forEach((joint, i) => {
          const position = joints.positions[i]!;
          if (!isGripper(joint) || !Number.isFinite(position)) return;
          if (isJointCommand(stream)) {
            commands.set(joint, position);
            return;
          }
          const held = entryOf(grippers, `${stream.name}/${joint}`, () => beginHeld(stream, joint, position));
          const effort = joints.efforts[i];
          held.min = Math.min(held.min, position);
          held.max = Math.max(held.max, position);
          if (effort !== undefined && Number.isFinite(effort)) {
            mostEffort = Math.max(mostEffort, Math.abs(effort));
            if (!held.hasEffort) [held.hasEffort, held.restEffort] = [true, effort];
          }
          held.machine.add(position, commands.get(joint), logTime);
          follow(held, { effort, mostEffort, time: logTime });
        });
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        if (grippers.size === 0)
          return yield { status: 'not_assessed', reason: 'no joint is called a gripper' };
        for (const { stream, joint: channel, hasEffort, grasps, longest } of grippers.values()) {
          if (!hasEffort && !contacts.areFelt) {
            const reason = 'neither an effort nor a force is recorded';
            yield { stream, channel, status: 'not_assessed', reason };
          } else if (grasps === 0)
            yield { stream, channel, status: 'not_assessed', reason: 'it held nothing' };
          else {
            const value = longest ? Number(longest.endTime - longest.startTime) / 1e9 : 0;
            const reason = longest
              ? `holds something for ${value.toFixed(1)} s that neither effort nor force feels`
              : 'what it holds is felt';
            yield { stream, channel, value, window: longest, evidence: { grasps }, reason };
          }
        }
      },
    };
  },
};

function beginHeld(stream: CheckedStream, joint: string, position: number): Held {
  const held: Held = {
    ...{ stream, joint, min: position, max: position, command: undefined, hasEffort: false, restEffort: 0 },
    ...{ heldFrom: undefined, isFelt: false, longest: undefined, grasps: 0 },
    machine: new GripperMachine(() => held.max - Math.min(0, held.min)),
  };
  return held;
}

function follow(
  held: Held,
  {
    effort,
    mostEffort,
    time,
  }: { readonly effort: number | undefined; readonly mostEffort: number; readonly time: bigint },
): void {
  const isNew = held.machine.moments.at(-1)?.event === 'close';
  if (!held.machine.isHolding) {
    held.heldFrom = undefined;
    // What is felt while the fingers close is the first touch of the grasp.
    if (!isNew) held.isFelt = false;
    if (effort !== undefined && !isNew) held.restEffort += (effort - held.restEffort) * 0.05;
  } else if (held.heldFrom === undefined) {
    held.heldFrom = time;
    held.grasps++;
  }
  const rise = effort === undefined ? 0 : Math.abs(effort - held.restEffort);
  if (rise > Math.max(LEAST_EFFORT, EFFORT_SHARE * mostEffort)) held.isFelt = true;
  if (held.heldFrom === undefined || held.isFelt) return;
  const known = held.longest ? held.longest.endTime - held.longest.startTime : 0n;
  if (time - held.heldFrom > known) held.longest = { startTime: held.heldFrom, endTime: time };
}
