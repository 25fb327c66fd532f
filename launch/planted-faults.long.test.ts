import { beforeAll, describe, expect, test } from 'vitest';
import { INTERACTION_CHECKS } from '../converters/quality/interaction/interaction-checks.ts';
import { MOTION_CHECKS } from '../converters/quality/motion/motion-checks.ts';
import { VISION_CHECKS } from '../converters/quality/vision/vision-checks.ts';
import type { Calibration } from '../schemas/calibration.ts';
import type { Contract } from '../schemas/contract.ts';
import type { Finding } from '../schemas/finding.ts';
import { recordTake, START_TIME } from './demo-robot/take.fixture.ts';
import {
  demoCalibration,
  demoContract,
  examineTake,
  faultsOf,
  isTold,
  PLANTED,
} from './planted-faults.fixture.ts';

const checks = [...VISION_CHECKS, ...MOTION_CHECKS, ...INTERACTION_CHECKS];
/** The rest is swept by planted-faults.bench.ts. */
const GROUPS = PLANTED.slice(0, 1);

describe('checks of the simulated robot', () => {
  let contract: Contract;
  let calibration: Calibration;
  beforeAll(async () => {
    contract = await demoContract();
    calibration = await demoCalibration(contract, { durationSecs: 4 });
  }, 180_000);

  test('say nothing of a clean take', { timeout: 180_000 }, async () => {
    const findings = await examineTake(await recordTake({ seed: 2 }), { checks, contract, calibration });
    expect(findings.filter(({ status }) => status === 'warn' || status === 'fail')).toEqual([]);
    const silent = findings.filter(({ status }) => status === 'not_assessed').map(({ check }) => check);
    expect(new Set(silent)).toEqual(
      new Set(['V09', 'V13', 'V14', 'K01', 'K03', 'K08', 'A04', 'A05', 'A06', 'A08', 'I07', 'I11']),
    );
  });

  test.each(GROUPS.map((group) => [group.map(({ check }) => check).join(' '), group] as const))(
    'tell of planted faults where they are: %s',
    { timeout: 180_000 },
    async (_, group) => {
      const take = await recordTake({ seed: 1, durationSecs: 9, faults: faultsOf(group) });
      const findings = await examineTake(take, { checks, contract, calibration });
      for (const row of group) {
        const beside = findings.filter(({ check }) => check === row.check);
        const told = beside.map(({ status, stream, channel, value, window, reason }) =>
          [status, stream, channel, value, place(window), reason].join(' '),
        );
        expect(isTold(row, findings, START_TIME), `${row.check}: ${told.join('; ')}`).toBe(true);
      }
    },
  );
});

function place(window: Finding['window']): string {
  return window ? `${Number(BigInt(window.startTime) - START_TIME) / 1e9} s` : 'anywhere';
}
