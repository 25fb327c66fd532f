import { expect, test } from 'vitest';
import type { Finding } from '../../schemas/finding.ts';
import { ARM, cleanArm, judge } from './arm.fixture.ts';
import type { Check } from './check.ts';
import { CONTAINER_CHECKS } from './container/container-checks.ts';
import { EPISODE_CHECKS } from './episode/episode-checks.ts';
import { INTERACTION_CHECKS } from './interaction/interaction-checks.ts';
import { MOTION_CHECKS } from './motion/motion-checks.ts';
import { cleanTake, examine } from './rig.fixture.ts';
import { TIME_CHECKS } from './time/time-checks.ts';

/** Clean takes of either robot. */
const TAKES = Number(process.env.TAKES ?? 100);
/** Of a check's takes at most this share may be spoken of. */
const MOST_ALARMS = 0.01;

const STREAMS = Object.keys(ARM.streams).filter((name) => name !== 'camera');

/** Seen on the arm, which rests between its movements and grasps; the rig moves all the time. */
function endsAtRest({ id }: Check): boolean {
  return id === 'E05' || id === 'E08';
}

interface Tally {
  takes: number;
  assessed: number;
  alarms: number;
  example: string;
}

test(`at most 1 % of clean takes raise an alarm, check by check, over ${TAKES} takes`, async () => {
  const tallies = new Map<string, Tally>();
  for (let seed = 1; seed <= TAKES; seed++) {
    const resting = [...MOTION_CHECKS, ...INTERACTION_CHECKS, ...EPISODE_CHECKS.filter(endsAtRest)];
    count(tallies, judge(resting, cleanArm(seed, STREAMS)));
    const brisk = EPISODE_CHECKS.filter((check) => !endsAtRest(check));
    const checks = [...CONTAINER_CHECKS, ...TIME_CHECKS, ...brisk];
    count(tallies, await examine(cleanTake({ seed }), { checks }));
  }
  const rows = [...tallies].map(
    ([check, { takes, assessed, alarms, example }]) =>
      `| ${check} | ${takes} | ${assessed} | ${alarms} | ${((100 * alarms) / takes).toFixed(1)} % | ${example} |`,
  );
  console.log(
    [
      '| check | clean takes | assessed | alarms | share | for example |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
  );
  const loud = [...tallies].filter(([, { alarms, takes }]) => alarms / takes > MOST_ALARMS);
  expect(loud).toEqual([]);
});

/** One take under several checks: each counts once, however many streams it looks at. */
function count(tallies: Map<string, Tally>, findings: readonly Finding[]): void {
  for (const [check, own] of Map.groupBy(findings, (finding) => finding.check)) {
    const tally = tallies.get(check) ?? { takes: 0, assessed: 0, alarms: 0, example: '' };
    tallies.set(check, tally);
    const alarm = own.find(({ status }) => status === 'warn' || status === 'fail');
    tally.takes++;
    if (own.some(({ status }) => status !== 'not_assessed')) tally.assessed++;
    if (!alarm) continue;
    tally.alarms++;
    tally.example ||= `${alarm.status} ${alarm.stream ?? ''}: ${alarm.reason}`;
  }
}
