import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EpisodeInfo } from '../schemas/episode.ts';
import { assignSplits, checkLeakage, type SplitSettings, type SplitSubject } from './split.ts';

const DAY = 86_400_000_000_000n;

const subject = (i: number, { operator, day }: { operator: number; day: number }): SplitSubject => ({
  file: `${i}.mcap`,
  id: `e${i}`,
  task: 'pick',
  info: { operator: `p${operator}`, robot: 'arm' } as EpisodeInfo,
  startTime: BigInt(day) * DAY + BigInt(i),
});

const subjects = fc
  .array(fc.record({ operator: fc.nat({ max: 30 }), day: fc.nat({ max: 30 }) }), {
    minLength: 40,
    maxLength: 120,
  })
  // The first three differ, so that there is a group for every split.
  .map((each) => each.map((of, i) => subject(i, i < 3 ? { operator: i, day: i } : of)));

const settings = (by: SplitSettings['by'], seed = 0): SplitSettings => ({
  by,
  seed,
  shares: { train: 0.7, val: 0.2, test: 0.1 },
});

test('assignSplits() keeps groups whole and comes as near to the shares as the largest groups allow', () => {
  fc.assert(
    fc.property(subjects, fc.constantFrom('operator' as const, 'day' as const), fc.nat(), (all, by, seed) => {
      const splits = assignSplits(all, settings(by, seed));
      const groupOf = ({ info, startTime }: SplitSubject) =>
        by === 'operator' ? info!.operator : String(startTime / DAY);
      const sides = new Map<string, Set<string>>();
      for (const [i, each] of all.entries()) {
        sides.set(groupOf(each), (sides.get(groupOf(each)) ?? new Set()).add(splits[i]!));
      }
      for (const side of sides.values()) expect(side.size).toBe(1);
      const largest = Math.max(
        ...Map.groupBy(all, groupOf)
          .values()
          .map(({ length }) => length),
      );
      for (const [split, share] of Object.entries(settings(by).shares)) {
        const count = splits.filter((each) => each === split).length;
        expect(Math.abs(count - share * all.length)).toBeLessThanOrEqual(2 * largest);
      }
    }),
  );
});

test.each(['session', 'scene', 'object'] as const)('assignSplits() keeps every %s whole', (by) => {
  const all = Array.from({ length: 40 }, (_, i) => {
    const each = subject(i, { operator: i, day: i });
    return { ...each, info: { ...each.info!, [by]: `g${i % 8}` } };
  });
  const splits = assignSplits(all, settings(by));
  const sides = all.map(({ info }, i) => `${info[by]} ${splits[i]}`);
  expect(new Set(sides).size).toBe(8);
  expect(new Set(splits)).toEqual(new Set(['train', 'val', 'test']));
  expect(() => assignSplits([subject(0, { operator: 0, day: 0 })], settings(by))).toThrow(
    `"0.mcap" does not say its ${by}`,
  );
});

test('assignSplits() splits alike whatever the order, and otherwise with another seed', () => {
  const all = Array.from({ length: 60 }, (_, i) => subject(i, { operator: i % 12, day: 0 }));
  const byId = (of: readonly SplitSubject[], seed: number) => {
    const splits = assignSplits(of, settings('operator', seed));
    return Object.fromEntries(of.map(({ id }, i) => [id, splits[i]]).sort());
  };
  expect(byId(all.toReversed(), 1)).toEqual(byId(all, 1));
  expect(byId(all, 2)).not.toEqual(byId(all, 1));
});

test('assignSplits() says what to do when groups are too few or not known', () => {
  const one = [0, 1, 2].map((i) => subject(i, { operator: 1, day: 0 }));
  expect(() => assignSplits(one, settings('operator'))).toThrow(/1 groups leave split "val" empty/);
  const foreign = { ...one[0]!, info: undefined };
  expect(() => assignSplits([foreign], settings('operator'))).toThrow(/"0.mcap" does not say its operator/);
});

test('checkLeakage() finds one recording on both sides', () => {
  const episode = (id: string, digest: string, split: string) => ({ id, digest, split });
  checkLeakage([episode('a', 'x', 'train'), episode('b', 'x', 'train'), episode('c', 'y', 'val')]);
  expect(() => checkLeakage([episode('a', 'x', 'train'), episode('b', 'x', 'val')])).toThrow(
    /"a" in "train" and "b" in "val" are the same recording/,
  );
});
