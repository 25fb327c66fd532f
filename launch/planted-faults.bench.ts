import { expect, test } from 'vitest';
import { CHECKS } from '../converters/quality/checks.ts';
import { recordTake, START_TIME } from './demo-robot/take.fixture.ts';
import {
  demoCalibration,
  demoContract,
  examineTake,
  faultsOf,
  isTold,
  PLANTED,
} from './planted-faults.fixture.ts';

const SEEDS = Number(process.env.SEEDS ?? 4);
/** Of the takes with a fault so many at least must be told, at the right stream and time. */
const LEAST_RECALL = 0.95;

test(`planted faults are told over ${SEEDS} whole episodes of the simulated robot`, async () => {
  const contract = await demoContract();
  const calibration = await demoCalibration(contract);
  const told = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const group of PLANTED) {
      const take = await recordTake({ seed, faults: faultsOf(group) });
      const findings = await examineTake(take, { checks: CHECKS, contract, calibration });
      for (const row of group) {
        const key = `${row.check} | ${row.stream} | ${row.fault.kind}`;
        told.set(key, (told.get(key) ?? 0) + (isTold(row, findings, START_TIME) ? 1 : 0));
      }
    }
  }
  const rows = [...told].sort();
  console.log(
    [
      '| check | stream | fault | told |',
      '| --- | --- | --- | --- |',
      ...rows.map(([key, count]) => `| ${key} | ${count} of ${SEEDS} |`),
    ].join('\n'),
  );
  expect(rows.filter(([, count]) => count / SEEDS < LEAST_RECALL)).toEqual([]);
});
