import { test } from 'vitest';
import { cleanArm, DURATION_SECS, judge, observation, picture } from './arm.fixture.ts';
import type { Check } from './check.ts';
import { INTERACTION_CHECKS } from './interaction/interaction-checks.ts';
import { MOTION_CHECKS } from './motion/motion-checks.ts';
import { VISION_CHECKS } from './vision/vision-checks.ts';

/** Joints at 100 Hz, commands at 50, forces at 200, a skin at 100, transforms at 50, one camera of 5 looks a second. */
const take = [
  ...cleanArm(1, ['description', 'joints', 'commands', 'wrench', 'tactile', 'tf']),
  ...Array.from({ length: DURATION_SECS * 30 }, (_, i) => {
    const looked = i % 6 === 0 ? { picture: picture(Math.random) } : {};
    return observation('camera', (i + 0.5) / 30, { fingerprint: i, ...looked });
  }),
].sort((a, b) => Number(a.logTime - b.logTime));

const ROUNDS = 5;

/** Processor time of the quickest round as a share of the time recorded. */
function shareOf(checks: readonly Check[]): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    judge(checks, take);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return Math.min(...rounds) / DURATION_SECS;
}

test('what checks cost, decoding left out', () => {
  const percent = (share: number) => `${(share * 100).toFixed(2)} % of one core`;
  for (const [name, checks] of Object.entries({ VISION_CHECKS, MOTION_CHECKS, INTERACTION_CHECKS })) {
    console.log(`${name.padEnd(20)} ${percent(shareOf(checks))}`);
    const dear = checks.map((check) => [check.id, shareOf([check])] as const).sort((a, b) => b[1] - a[1]);
    console.log(
      `  dearest: ${dear
        .slice(0, 4)
        .map(([id, share]) => `${id} ${percent(share)}`)
        .join(', ')}`,
    );
  }
});
