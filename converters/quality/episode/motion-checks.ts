import { pauseSpans } from '../../../schemas/pause-spans.ts';
import { secsToNanos } from '../../../schemas/time.ts';
import type { Check, Judgement } from '../check.ts';
import type { EpisodeFacts } from '../episode-facts.ts';
import { isJointType, jointSample } from '../joint-sample.ts';
import { isGripper } from '../motion/joints.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { Activity } from './activity.ts';
import { BIN_SECS, fastest, MotionProfile, movingSpeed, type Rest, rests } from './motion-profile.ts';

export interface Motion {
  readonly speeds: Float64Array;
  readonly profiles: ReadonlyMap<CheckedStream, MotionProfile>;
  readonly subject: Subject;
  readonly now: bigint;
  readonly facts: EpisodeFacts;
}

/** A check of how the joints moved over the whole episode. */
export function ofMotion(judge: (motion: Motion) => Iterable<Judgement>): Check['watch'] {
  return (subject) => {
    const profiles = new Map<CheckedStream, MotionProfile>();
    return {
      wants: ({ role, type }) => role === 'motion' && isJointType(type),
      observe(observation) {
        const sample = jointSample(observation);
        if (!sample || sample.logTime < subject.startTime) return;
        const profile = profiles.get(observation.stream) ?? new MotionProfile(subject.startTime);
        profiles.set(observation.stream, profile);
        profile.add(sample);
      },
      *findings(now, facts) {
        if (!facts) return;
        if (profiles.size === 0) {
          yield { status: 'not_assessed', reason: 'no stream says how the joints moved' };
          return;
        }
        const speeds = fastest([...profiles.values()].map((profile) => profile.speeds(now)));
        yield* judge({ speeds, profiles, subject, now, facts });
      },
    };
  };
}

/** A check of when neither the joints moved nor anything else went on; `speeds` are those of the busiest. */
function ofIdleness(judge: (motion: Motion) => Iterable<Judgement>): Check['watch'] {
  return (subject) => {
    const activity = new Activity(subject);
    const watch = ofMotion((motion) => {
      return judge({ ...motion, speeds: fastest([motion.speeds, activity.speeds(motion.now)]) });
    })(subject);
    return {
      ...watch,
      wants: (stream) => watch.wants!(stream) || activity.wants(stream),
      observe(observation: Observation) {
        const { stream, logTime } = observation;
        if (watch.wants!(stream)) watch.observe!(observation);
        if (activity.wants(stream) && logTime >= subject.startTime) activity.observe(observation);
      },
    };
  };
}

/** The steps of an episode that lie in no marked pause. */
function demonstrated({ speeds, subject, now }: Motion) {
  const pauses = pauseSpans(subject.events, now);
  const at = (step: number) => subject.startTime + secsToNanos(step * BIN_SECS);
  const isShown = Array.from(speeds, (_, step) => {
    return !pauses.some(({ startTime, endTime }) => startTime <= at(step) && at(step) < endTime);
  });
  return {
    at,
    first: isShown.indexOf(true),
    end: isShown.lastIndexOf(true) + 1,
    count: ({ from, to }: Rest) => isShown.slice(from, to).filter(Boolean).length,
  };
}

export const EPISODE_MOTION_CHECKS: readonly Check[] = [
  {
    id: 'E03',
    title: 'idle head or tail',
    claim: 'RISK',
    runs: 'take',
    unit: 's',
    limits: { warn: 0.5, fail: 2, validated: true },
    explain: {
      cause: 'The take was started before the robot moved, or stopped after it had ended.',
      formula:
        'The longer of the rests at both ends: every joint, and every command of joints, changes by less than 0.5 % of ' +
        'its range per second; no contact, and no gripper event within 0.5 s; marked pauses left out.',
      remedy: 'Trim the episode on the review page; policies learn to wait from such rests.',
      example: 'the robot rests 2.6 s at the end',
      source: 'openpi; LeRobot practice',
    },
    watch: ofIdleness(function* (motion) {
      const { speeds, now } = motion;
      const { at, first, end, count } = demonstrated(motion);
      const idle = rests(speeds);
      const head = idle.find(({ from, to }) => from <= first && first < to);
      const tail = idle.findLast(({ from, to }) => from < end && end <= to);
      const headSecs = head ? count(head) * BIN_SECS : 0;
      const tailSecs = tail ? count(tail) * BIN_SECS : 0;
      const [value, isHead] = [Math.max(headSecs, tailSecs), headSecs > tailSecs];
      const window = isHead
        ? { startTime: at(first), endTime: at(head!.to) }
        : { startTime: tail ? at(Math.max(tail.from, first)) : now, endTime: now };
      const reason = `the robot rests ${value.toFixed(1)} s at the ${isHead ? 'start' : 'end'}`;
      yield { value, window, evidence: { headSecs, tailSecs }, reason };
    }),
  },
  {
    id: 'E04',
    title: 'idle share',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.1, fail: 0.3, validated: true },
    explain: {
      cause: 'The operator paused, or the robot waited for something.',
      formula:
        'Time in rests of at least 0.47 s / duration; a rest as in E03, marked pauses left out of both.',
      remedy: 'Trim the episode; record again without the pause.',
      example: 'the robot rests 34 % of the time',
      source: 'deepen-grade; openpi’s DROID rule',
    },
    watch: ofIdleness(function* (motion) {
      const { at, count } = demonstrated(motion);
      const steps = count({ from: 0, to: motion.speeds.length });
      if (steps === 0) return;
      const idle = rests(motion.speeds).filter((rest) => count(rest) > 0);
      const value = idle.reduce((sum, rest) => sum + count(rest), 0) / steps;
      const [longest] = idle.toSorted((a, b) => count(b) - count(a));
      const window = longest && { startTime: at(longest.from), endTime: at(longest.to) };
      const reason = `the robot rests ${(value * 100).toFixed(0)} % of the time`;
      yield { value, window, evidence: { rests: idle.length, steps }, reason };
    }),
  },
  {
    id: 'E05',
    title: 'truncated end',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.1, validated: false },
    explain: {
      cause: 'The take was stopped while the robot still moved.',
      formula: 'Speed in the last 0.2 s / p95 of the speed while moving; grippers left out.',
      remedy: 'Wait for the robot to come to rest, or set "postRollSecs" in the contract.',
      example: 'the robot still moves at 45 % of its speed when the take ends',
      source: 'arXiv 2606.05588; limit of our own',
    },
    watch: ofMotion(function* ({ profiles, now }) {
      const arm = (joint: string) => !isGripper(joint);
      const speeds = fastest([...profiles.values()].map((profile) => profile.speeds(now, arm)));
      const usual = movingSpeed(speeds, 0.95);
      if (usual === 0) {
        yield { status: 'not_assessed', reason: 'no arm moves' };
        return;
      }
      // The last step is only begun: the two whole ones before it are the last 0.2 s.
      const end = speeds.slice(-3, -1);
      const value = Math.max(0, ...end) / usual;
      const window = { startTime: now - secsToNanos(0.3), endTime: now };
      const reason = `the robot still moves at ${(value * 100).toFixed(0)} % of its speed when the take ends`;
      yield { value, window, reason };
    }),
  },
];
