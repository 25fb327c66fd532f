import type { Check, Judgement } from '../check.ts';
import { GripperMachine } from '../interaction/gripper.ts';
import { GRIPPER_VERBS } from '../interaction/gripper-checks.ts';
import { NO_GRIPPER, ofGrippers } from '../interaction/per-gripper.ts';
import { stepsOf } from './steps.ts';

/** Verbs of tasks that end with an open gripper. */
const RELEASE_VERBS = /\b(place|put|insert|hand|give|drop)\b/i;
const FEWEST_PEERS = 8;
/** Between the steps of an episode, before the first and after the last. */
const EDGE = 'an end of the episode';

/** What the instruction asks for, against what happened. */
export const TASK_CHECKS: readonly Check[] = [
  {
    id: 'E08',
    title: 'instruction against what the gripper did',
    claim: 'RISK',
    runs: 'take',
    unit: '',
    explain: {
      cause:
        'The instruction is another task’s, the grasp failed, or the take was stopped before the release.',
      formula:
        'Warns where the instruction’s verb needs a grasp and no gripper stalls on anything, and where it needs a ' +
        'release ("put", "place", "insert", "give") and no gripper opens after its last grasp.',
      remedy: 'Correct the instruction, label the outcome, or discard the take.',
      example: '"put the cup on the plate", but what is grasped at 4.1 s is never released',
      source: 'limits of our own, not validated on a real robot',
    },
    watch: (subject) => {
      const machines: GripperMachine[] = [];
      const watch = ofGrippers(() => {
        let machine: GripperMachine | undefined;
        return {
          state(gripper, aperture, time) {
            if (!machine) {
              machine = new GripperMachine(gripper.stroke);
              machines.push(machine);
            }
            machine.add(aperture, gripper.command, time);
          },
          judgement: () => undefined, // of two hands one may do all the work
        };
      })(subject);
      return {
        ...watch,
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          const task = facts.info?.task ?? subject.task ?? '';
          if (!GRIPPER_VERBS.test(task)) {
            return yield { status: 'not_assessed', reason: 'the instruction names nothing that is grasped' };
          }
          if (machines.length === 0) return yield { status: 'not_assessed', reason: NO_GRIPPER };
          yield graspJudgement(task, machines);
        },
      };
    },
  },
  {
    id: 'E12',
    title: 'unexpected order of steps',
    claim: 'RISK',
    runs: 'library',
    unit: 'successions',
    limits: { warn: 0, validated: false },
    explain: {
      cause: 'A step was left out, done twice or out of turn, or its mark bears a wrong name.',
      formula:
        'Successions of marked steps, both ends of the episode included, that none of the other episodes of the task has.',
      remedy: 'Look at the marks; correct their names or label the take as a mistake.',
      example: '"place" follows "reach", which no other of 24 episodes has',
      source: 'limits of our own, not validated on a real robot',
    },
    watch: () => ({
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        const steps = stepsOf(facts.labels);
        const peers = facts.peers.filter((peer) => peer.task === facts.info?.task && peer.steps.length > 0);
        if (steps.length === 0) return yield { status: 'not_assessed', reason: 'nobody marked its steps' };
        if (peers.length < FEWEST_PEERS) {
          const reason = `it needs ${FEWEST_PEERS} other episodes of the task with steps, found ${peers.length}`;
          return yield { status: 'not_assessed', reason };
        }
        const usual = new Set(
          peers.flatMap((peer) => successions(peer.steps.map((name) => ({ name })))).map(keyOf),
        );
        const unusual = successions(steps).filter((each) => !usual.has(keyOf(each)));
        const [first] = unusual;
        const at = first?.to ?? first?.from;
        yield {
          value: unusual.length,
          window: at && { startTime: at.startTime, endTime: at.endTime },
          evidence: { peers: peers.length, steps: steps.map(({ name }) => name) },
          reason: first
            ? `"${first.to?.name ?? EDGE}" follows "${first.from?.name ?? EDGE}", which no other of ${peers.length} episodes has`
            : 'its steps follow each other as usual',
        };
      },
    }),
  },
];

function graspJudgement(task: string, machines: readonly GripperMachine[]): Judgement {
  const grasps = machines.flatMap(({ moments }) => moments.filter(({ event }) => event === 'grasp'));
  const evidence = { grasps: grasps.length };
  if (grasps.length === 0) return { status: 'warn', evidence, reason: `"${task}", but nothing is grasped` };
  const held = machines.filter(({ isHolding }) => isHolding);
  if (!RELEASE_VERBS.test(task) || held.length === 0) {
    return { status: 'pass', evidence, reason: `the gripper does what "${task}" needs` };
  }
  const { time } = held[0]!.moments.findLast(({ event }) => event === 'grasp')!;
  const window = { startTime: time, endTime: time + 1n };
  return { status: 'warn', window, evidence, reason: `"${task}", but what is grasped is never released` };
}

interface Succession<T> {
  /** Undefined for the start of the episode. */
  readonly from: T | undefined;
  /** Undefined for its end. */
  readonly to: T | undefined;
}

function successions<T>(steps: readonly T[]): Succession<T>[] {
  return Array.from({ length: steps.length + 1 }, (_, i) => ({ from: steps[i - 1], to: steps[i] }));
}

function keyOf({ from, to }: Succession<{ readonly name: string }>): string {
  return JSON.stringify([from?.name, to?.name]);
}
