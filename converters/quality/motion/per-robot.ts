import type { Check, Watch } from '../check.ts';
import type { StreamWatch } from '../per-stream.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { isDescription, RobotDescription } from './robot-description.ts';

/** As `perStream`, for checks that need what the robot declares of its joints. */
export function perRobotStream(
  applies: (stream: CheckedStream) => boolean,
  begin: (stream: CheckedStream, robot: RobotDescription, subject: Subject) => StreamWatch,
): Check['watch'] {
  return (subject): Watch => {
    const robot = new RobotDescription(subject);
    const watches = new Map<CheckedStream, StreamWatch>();
    return {
      wants: (stream) => applies(stream) || isDescription(stream),
      observe(observation) {
        const { stream } = observation;
        if (isDescription(stream)) return robot.observe(observation);
        const watch = watches.get(stream) ?? begin(stream, robot, subject);
        watches.set(stream, watch);
        watch.observe(observation);
      },
      *findings(now, facts) {
        for (const [stream, watch] of watches) {
          for (const judgement of watch.findings(now, facts)) yield { stream, ...judgement };
        }
      },
    };
  };
}
