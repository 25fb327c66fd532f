import type { Check, Judgement, Watch } from '../check.ts';
import { ofGrippers } from '../interaction/per-gripper.ts';
import { isGripper } from '../motion/joints.ts';
import { ofMotion } from './motion-checks.ts';
import { robustZ } from './motion-profile.ts';

const FEWEST_PEERS = 8;
const MOST_Z = 3.5;
/** A start that is closer than this to the others is none of another kind, radians or metres. */
const START_FLOOR = 0.01;
/** How exactly an arm is brought home, radians or metres: what stands for the spread of starts before there are some. */
const HOME_SPREAD = 0.05;
/** What the hand does later is of the task; and how much of it must be seen. */
const START_NANOS = 500_000_000n;
const HELD_NANOS = 300_000_000n;
/** Share of the stroke by which what is held keeps fingers from where they are told to be. */
const HELD_SHARE = 0.03;

/** Whether a take begins as takes of its task do: at home, with empty hands. */
export const START_STATE: Check = {
  id: 'E09',
  title: 'start state',
  claim: 'RISK',
  runs: 'take',
  unit: 'z',
  limits: { fail: MOST_Z, validated: false },
  explain: {
    cause: 'The robot was not brought home before the take, or the scene was not set back.',
    formula:
      'Largest robust z over the joints of the first position among the episodes of the same task. With fewer than 8 of ' +
      'them it only warns, of the arm’s distance from the home pose of the rig’s calibration in units of 0.05 rad; and ' +
      'always where 3 % of its stroke keep a gripper from closing as far as it is told, throughout the first 0.5 s.',
    remedy: 'Bring the robot home, and empty its hand, before every take.',
    example: 'joints: joint 3 starts 6.2 standard deviations from where the others start',
    source: 'our own',
  },
  watch: (subject): Watch => {
    const starts = startPositions(subject);
    const hands = handsAtStart(subject);
    return {
      wants: (stream) => starts.wants!(stream) || hands.wants!(stream),
      observe(observation) {
        if (starts.wants!(observation.stream)) starts.observe!(observation);
        hands.observe!(observation);
      },
      *findings(now, facts): Generator<Judgement> {
        if (!facts) return;
        yield* starts.findings(now, facts);
        yield* hands.findings(now);
      },
    };
  },
};

const startPositions = ofMotion(function* ({ profiles, subject, facts }) {
  const peers = facts.peers.filter(({ task }) => task === facts.info?.task);
  for (const [stream, { names, start }] of profiles) {
    const home = subject.calibration?.home[stream.name];
    const starts = peers.flatMap(({ start: { [stream.name]: each } }) =>
      each?.length === start.length ? [each] : [],
    );
    if (starts.length >= FEWEST_PEERS) {
      const zs = start.map((value, j) => {
        const others = starts.map((each) => each[j]!);
        return Math.abs(robustZ(value, others, START_FLOOR));
      });
      const value = Math.max(...zs);
      const joint = zs.indexOf(value) + 1;
      const reason = `joint ${joint} starts ${value.toFixed(1)} standard deviations from where the others start`;
      yield { value, stream, evidence: { peers: starts.length, joint }, reason };
    } else if (home) {
      const zs = start.map((value, j) => {
        const at = isGripper(names[j]!) ? undefined : home[names[j]!];
        return at === undefined ? 0 : Math.abs(value - at) / HOME_SPREAD;
      });
      const value = Math.max(...zs);
      const joint = zs.indexOf(value) + 1;
      const reason = `joint ${joint} starts ${(value * HOME_SPREAD).toFixed(2)} rad from the rig’s home pose`;
      const status = value > MOST_Z ? 'warn' : 'pass';
      yield { status, value, stream, evidence: { peers: starts.length, joint }, reason };
    } else {
      const reason = `it needs ${FEWEST_PEERS} other episodes of the task, found ${starts.length}, or the rig’s home pose`;
      yield { status: 'not_assessed', stream, reason };
    }
  }
});

/** Speaks only of a gripper that holds something. */
const handsAtStart = ofGrippers(({ startTime }) => {
  let least = Number.POSITIVE_INFINITY;
  let seen: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
  return {
    state({ command }, aperture, time) {
      if (command === undefined || time - startTime > START_NANOS) return;
      least = Math.min(least, aperture - Math.max(0, command));
      seen = { startTime: seen?.startTime ?? time, endTime: time + 1n };
    },
    judgement({ stroke }) {
      const isLong = seen !== undefined && seen.endTime - seen.startTime >= HELD_NANOS;
      if (!isLong || least <= HELD_SHARE * stroke()) return undefined;
      return { status: 'warn', window: seen, reason: 'it holds something when the take begins' };
    },
  };
});
