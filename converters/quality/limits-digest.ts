import { createHash } from 'node:crypto';
import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { CheckRecord } from './check.ts';

/** Of everything that findings depend on besides the episode. */
export function limitsDigest(
  checks: readonly CheckRecord[],
  contract: Contract | undefined,
  calibration: Calibration | undefined,
): string {
  const limits = checks.map(({ id, limits: own }) => [id, own]);
  const text = JSON.stringify([limits, contract, calibration]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
