import type { Check } from '../check.ts';
import { isHandFinger } from '../motion/joints.ts';
import { Reversals } from '../reversals.ts';
import { type GripperEvent, GripperMachine } from './gripper.ts';
import { IgnoredCommands } from './ignored-commands.ts';
import { type GripperWatch, ofGrippers } from './per-gripper.ts';

/** Verbs of tasks that need the gripper. */
export const GRIPPER_VERBS = /\b(pick|grasp|grab|place|put|lift|insert|hold|take|hand|give)\b/i;

/** What the gripper did. */
export const GRIPPER_CHECKS: readonly Check[] = [
  {
    id: 'I09',
    title: 'gripper chatter',
    claim: 'RISK',
    runs: 'take',
    unit: 'Hz',
    limits: { warn: 2, fail: 5, validated: true },
    explain: {
      cause:
        'A binary command at its threshold, a trembling trigger, or a policy torn between open and closed.',
      formula:
        'Most reversals of the aperture in any second, by over 1 % of the stroke; of a hand’s finger, which trembles as ' +
        'the hand in the glove does, by over 5 %.',
      remedy: 'Give the trigger a hysteresis; look at the command’s chatter.',
      example: 'gripper: turns back 9 times in a second',
      source: 'deepen-grade',
    },
    watch: ofGrippers((): GripperWatch => {
      let track: Reversals | undefined;
      return {
        state(gripper, aperture, time) {
          const share = isHandFinger(gripper.joint) ? 0.05 : 0.01;
          track ??= new Reversals(() => share * gripper.stroke());
          track.add(aperture, time);
        },
        judgement() {
          const most = track?.most;
          return {
            value: most?.count ?? 0,
            window: most,
            reason: `turns back ${most?.count ?? 0} times in a second`,
          };
        },
      };
    }),
  },
  {
    id: 'I10',
    title: 'gripper inert',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.02, bad: 'below', validated: true },
    explain: {
      cause: 'The gripper has no power, another gripper is recorded, or the instruction is another task’s.',
      formula: 'Stroke used / stroke, where the task’s verb needs a gripper.',
      remedy: 'Open and close the gripper and watch its state; correct the instruction.',
      example: 'gripper: uses 0 % of its stroke in "Pick up the cup"',
      source: 'lerobot-lint',
    },
    watch: ofGrippers((subject): GripperWatch => {
      return {
        judgement({ min, max, stroke }) {
          if (!subject.task || !GRIPPER_VERBS.test(subject.task)) {
            return { status: 'not_assessed', reason: 'the instruction names nothing that needs a gripper' };
          }
          const value = stroke() > 0 ? (max - min) / stroke() : 0;
          return { value, reason: `uses ${(value * 100).toFixed(0)} % of its stroke in "${subject.task}"` };
        },
      };
    }),
  },
  {
    id: 'I11',
    title: 'gripper command ignored',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'commands',
    limits: { warn: 0, fail: 1, validated: false },
    explain: {
      cause: 'The gripper is in an error state, lost its connection, or is driven by someone else.',
      formula:
        'Commands that move by over 20 % of the stroke and after which the aperture changes by less than 2 % in 1 s, ' +
        'unless something between the fingers stops it.',
      remedy: 'Acknowledge the gripper’s error; look at its cable; record the take again.',
      example: 'gripper: ignores 2 commands',
      source: 'limits of our own',
    },
    watch: ofGrippers((): GripperWatch => {
      const ignored = new IgnoredCommands();
      return {
        state: ({ stroke }, aperture, time) => ignored.state(aperture, stroke(), time),
        command: ({ stroke }, command, time) => ignored.command(command, stroke(), time),
        judgement({ command }) {
          if (command === undefined) {
            return { status: 'not_assessed', reason: 'nothing that is recorded commands it' };
          }
          const { count, window, commands } = ignored;
          return { value: count, window, evidence: { commands }, reason: `ignores ${count} commands` };
        },
      };
    }),
  },
  {
    id: 'I13',
    title: 'retries and drops',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: 'times',
    limits: { warn: 0, fail: 2, validated: false },
    explain: {
      cause: 'The grasp was beside the object, too weak, or the object slipped.',
      formula:
        'Closings over at least 20 % of the stroke that end empty, and grasps that are lost before they are opened.',
      remedy: 'Keep the take if recovery is wanted in training; label the span as a mistake otherwise.',
      example: 'gripper: closes empty 1 time and loses its grasp 1 time',
      source: 'DQAF "repeated corrections"; π0.7 "mistake"',
    },
    watch: ofGrippers((): GripperWatch => {
      let machine: GripperMachine | undefined;
      return {
        state(gripper, aperture, time) {
          machine ??= new GripperMachine(gripper.stroke);
          machine.add(aperture, gripper.command, time);
        },
        judgement({ joint }) {
          if (isHandFinger(joint)) {
            return {
              status: 'not_assessed',
              reason: 'one finger of a hand does not tell what the hand holds',
            };
          }
          const moments = machine?.moments ?? [];
          const times = (event: GripperEvent) => moments.filter((moment) => moment.event === event);
          const [lost, emptied] = [times('lost'), times('empty')];
          // A lost grasp closes on nothing: that is one mishap, not two.
          const empty = emptied.filter(
            ({ time }) => !lost.some((each) => time - each.time < 1_000_000_000n && time > each.time),
          );
          const first = [...empty, ...lost].sort((a, b) => Number(a.time - b.time))[0];
          const reason = `closes empty ${empty.length} times and loses its grasp ${lost.length} times`;
          const evidence = { empty: empty.length, lost: lost.length, grasps: times('grasp').length };
          const window = first && { startTime: first.time, endTime: first.time + 1n };
          return { value: empty.length + lost.length, window, evidence, reason };
        },
      };
    }),
  },
];
