import { describe, expect, it } from 'vitest';
import type { Claim, Finding, FindingStatus, Verdict } from '../../schemas/finding.ts';
import { reasonsOf, reasonTexts, verdictOf } from './verdict.ts';

function finding(claim: Claim, status: FindingStatus, more: Partial<Finding> = {}): Finding {
  return {
    id: `${claim}/${status}`,
    check: 'T05',
    claim,
    status,
    unit: '',
    evidence: {},
    reason: 'x',
    ...more,
  };
}

describe('verdictOf()', () => {
  it.each<[string, readonly Finding[], Verdict]>([
    ['nothing wrong', [finding('DEFECT', 'pass')], 'PASS'],
    ['a failed defect', [finding('DEFECT', 'fail'), finding('RISK', 'fail')], 'EXCLUDE'],
    ['a doubtful defect', [finding('DEFECT', 'warn')], 'REVIEW'],
    ['a failed risk', [finding('RISK', 'fail')], 'REVIEW'],
    ['a doubtful risk', [finding('RISK', 'warn')], 'PASS'],
    ['a characteristic, however far', [finding('CHARACTERISTIC', 'fail')], 'PASS'],
    ['no contract', [finding('DEFECT', 'not_assessed', { check: 'C02' })], 'UNKNOWN'],
    [
      'no contract, and a defect',
      [finding('DEFECT', 'not_assessed', { check: 'C02' }), finding('DEFECT', 'fail')],
      'EXCLUDE',
    ],
    [
      'a camera that cannot be decoded',
      [finding('DEFECT', 'not_assessed', { check: 'V01', stream: 'left' })],
      'UNKNOWN',
    ],
    ['no camera', [finding('DEFECT', 'not_assessed', { check: 'V01' })], 'PASS'],
    [
      'a measure that needs more time',
      [finding('RISK', 'not_assessed', { check: 'T09', stream: 'left' })],
      'PASS',
    ],
  ])('of %s', (_, findings, verdict) => {
    expect(verdictOf(findings)).toBe(verdict);
  });

  it('does not count what was waived', () => {
    const failed = finding('DEFECT', 'fail', { id: 'T07/left' });
    expect(verdictOf([failed], new Set(['T07/left']))).toBe('PASS');
    expect(verdictOf([failed], new Set(['T07/right']))).toBe('EXCLUDE');
  });
});

describe('reasonTexts()', () => {
  it('names the gravest three, by claim and by how far they are beyond their limit', () => {
    const window = { startTime: 12_300_000_000n, endTime: 13_000_000_000n };
    const findings = [
      finding('RISK', 'warn', { reason: 'fourth', id: '4' }),
      finding('DEFECT', 'fail', { reason: 'second', id: '2', value: 2, limit: 1 }),
      finding('RISK', 'fail', { reason: 'third', id: '3' }),
      finding('DEFECT', 'fail', {
        reason: 'first',
        id: '1',
        value: 9,
        limit: 1,
        check: 'T07',
        stream: 'left',
        window,
      }),
    ];
    expect(reasonTexts(reasonsOf(findings), 2_000_000_000n)).toEqual([
      'left: first at 10.3 s (T07)',
      'second (T05)',
      'third (T05)',
    ]);
  });
});
