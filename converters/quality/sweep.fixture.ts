import { expect, test } from 'vitest';
import type { Calibration } from '../../schemas/calibration.ts';
import type { FindingStatus } from '../../schemas/finding.ts';
import { cleanArm, judge } from './arm.fixture.ts';
import type { Check } from './check.ts';
import { entryOf } from './entry-of.ts';
import type { Observation } from './observation.ts';
import { placeOf } from './rig.fixture.ts';

/** A defect that a check must find, at a known place and of a strength that can be swept. */
export interface SweepRow {
  readonly id: string;
  readonly stream: string;
  readonly channel?: string;
  /** Streams that the check needs. @default the row's own */
  readonly streams?: readonly string[];
  /** Plants the defect; `strength` is in the unit of the check's value. */
  readonly inject: (take: readonly Observation[], strength: number, seed: number) => readonly Observation[];
  /** Strength at which the check begins to speak. */
  readonly threshold: number;
  /** Twice as strong and half as strong, where that is no product. */
  readonly strengths?: readonly [weak: number, strong: number];
  /** When it must point at it, seconds. */
  readonly at?: number;
  /** How far beside that; of a lasting defect any part may be the worst, seconds. @default 0.5 */
  readonly within?: number;
  /** @default 'fail' */
  readonly status?: FindingStatus;
  readonly calibration?: Calibration;
  /** @default 5 */
  readonly seeds?: number;
  /** The take without the defect. @default the clean arm */
  readonly clean?: (seed: number) => readonly Observation[];
}

/** More of them, for every row: `SEEDS=50 npx vitest run converters/quality`. */
const ASKED = Number(process.env.SEEDS ?? 0);
const USUAL = 5;

function seedsOf({ seeds = USUAL }: SweepRow): readonly number[] {
  return Array.from({ length: ASKED || seeds }, (_, i) => i + 1);
}

/** Holds every check of a table to its rows: it speaks at twice its threshold, at the right place, and never before. */
export function sweep(checks: readonly Check[], rows: readonly SweepRow[]): void {
  const named = (row: SweepRow) => [`${row.id} of ${row.stream}`, row] as const;

  test.each(rows.map(named))(
    '%s: every seed at twice the threshold, at the right stream and time',
    (_, row) => {
      for (const seed of seedsOf(row)) {
        const found = findingsOf(row, row.strengths?.[1] ?? 2 * row.threshold, seed);
        const hit = found.find(
          ({ status, stream }) => status === (row.status ?? 'fail') && stream === row.stream,
        );
        expect(
          hit,
          found.map(({ status, value, reason }) => `${status} ${value} ${reason}`).join('; '),
        ).toBeDefined();
        if (row.channel !== undefined) expect(hit!.channel).toBe(row.channel);
        if (row.at !== undefined) expect(Math.abs(placeOf(hit!)! - row.at)).toBeLessThan(row.within ?? 0.5);
      }
    },
  );

  test.each(rows.map(named))('%s: no seed at half of it', (_, row) => {
    for (const seed of seedsOf(row)) {
      const found = findingsOf(row, row.strengths?.[0] ?? row.threshold / 2, seed);
      expect(found.filter(({ status }) => status === (row.status ?? 'fail'))).toEqual([]);
    }
  });

  test.each(rows.map(named))('%s: nothing to say of a clean take', (_, row) => {
    for (const seed of seedsOf(row)) {
      const found = judge(checksOf(row), cleanOf(row, seed), optionsOf(row));
      expect(found.filter(({ status }) => status === 'warn' || status === 'fail')).toEqual([]);
      expect(found.length).toBeGreaterThan(0);
    }
  });

  function checksOf(row: SweepRow) {
    return checks.filter(({ id }) => id === row.id);
  }

  function findingsOf(row: SweepRow, strength: number, seed: number) {
    return judge(checksOf(row), row.inject(cleanOf(row, seed), strength, seed), optionsOf(row));
  }
}

const clean = new Map<string, readonly Observation[]>();

/** Made once: nothing changes an observation. */
function cleanOf(row: SweepRow, seed: number): readonly Observation[] {
  if (row.clean) return row.clean(seed);
  const streams = row.streams ?? [row.stream];
  return entryOf(clean, `${seed} ${streams.join(' ')}`, () => cleanArm(seed, streams));
}

function optionsOf({ calibration }: SweepRow) {
  return calibration ? { calibration } : {};
}
