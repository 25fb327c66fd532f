import { test } from 'vitest';
import { INTERACTION_CHECKS } from '../converters/quality/interaction/interaction-checks.ts';
import { MOTION_CHECKS } from '../converters/quality/motion/motion-checks.ts';
import { VISION_CHECKS } from '../converters/quality/vision/vision-checks.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { recordTake, START_TIME, type Take } from './demo-robot/take.fixture.ts';
import {
  demoCalibration,
  demoContract,
  examineTake,
  faultsOf,
  isTold,
  PLANTED,
} from './planted-faults.fixture.ts';

const checks = [...VISION_CHECKS, ...MOTION_CHECKS, ...INTERACTION_CHECKS];
const SEEDS = Array.from({ length: Number(process.env.SEEDS ?? 4) }, (_, i) => i + 1);

test('planted faults, over whole episodes of the simulated robot', async () => {
  const contract = await demoContract();
  const calibration = await demoCalibration(contract);
  const look = (take: Take) => examineTake(take, { checks, contract, calibration });
  const found = new Map<string, number>();
  const alarms = new Map<string, number>();
  let [judgements, checkedSecs, checkMillis] = [0, 0, 0];
  for (const seed of SEEDS) {
    const clean = await recordTake({ seed: seed + 20 });
    const startMillis = performance.now();
    for (const { check, status, reason } of await look(clean)) {
      judgements++;
      if (status !== 'warn' && status !== 'fail') continue;
      alarms.set(check, (alarms.get(check) ?? 0) + 1);
      console.log(`false alarm, seed ${seed + 20}: ${check} ${status} ${reason}`);
    }
    checkMillis += performance.now() - startMillis;
    checkedSecs += nanosToSecs(clean.messages.at(-1)!.logTime - START_TIME);
    for (const group of PLANTED) {
      const findings = await look(await recordTake({ seed, faults: faultsOf(group) }));
      for (const row of group) {
        const key = `${row.check} ${row.stream} ${row.fault.kind}`;
        found.set(key, (found.get(key) ?? 0) + (isTold(row, findings, START_TIME) ? 1 : 0));
      }
    }
  }
  console.log(['', '| check | stream | fault | told |', '| --- | --- | --- | --- |'].join('\n'));
  for (const [key, count] of [...found].sort()) {
    console.log(`| ${key.split(' ').join(' | ')} | ${count} of ${SEEDS.length} |`);
  }
  const total = [...alarms.values()].reduce((sum, count) => sum + count, 0);
  console.log(`\nfalse alarms on clean takes: ${total} of ${judgements} findings`);
  console.log(
    `checking: ${((checkedSecs * 1000) / checkMillis).toFixed(1)} times faster than real time, decoding included`,
  );
});
