import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { random } from '../rig.fixture.ts';
import { coverageOf } from './coverage.ts';
import { fleetOf, spearman } from './fleet.ts';
import { withLibraryFindings } from './library-findings.ts';
import { nearDuplicates, SAME_PATH, SIMILAR_PATH, type TracedEpisode } from './near-duplicates.ts';

/** A path of three joints to a goal, by an operator who is never quite the same. */
function path(seed: number, { noise = 0, shift = 0, every = 1 } = {}): number[][] {
  const next = random(seed);
  const goal = [next(), next(), next()].map((value) => 2 * value - 1);
  const bend = [next(), next(), next()].map((value) => 0.4 * (value - 0.5));
  const tremble = random(seed + 1000);
  const steps = Array.from({ length: 120 }, (_, i) => {
    const share = Math.min(1, Math.max(0, (i - shift) / 119));
    const smooth = 10 * share ** 3 - 15 * share ** 4 + 6 * share ** 5;
    return goal.map(
      (value, j) => value * smooth + bend[j]! * Math.sin(Math.PI * smooth) + noise * (tremble() - 0.5),
    );
  });
  return steps.filter((_, i) => i % every === 0);
}

function traced(name: string, steps: number[][], hash = name): TracedEpisode {
  const digest = JSON.stringify(steps);
  return {
    file: `${name}.mcap`,
    id: name,
    digest: name,
    trace: { digest, path: steps, hashes: new Map([['front', [hash, hash, hash, hash, hash]]]) },
  };
}

const OTHERS = Array.from({ length: 12 }, (_, i) => traced(`${i}`.padStart(16, '0'), path(i + 10)));
const ORIGINAL = traced('aaaaaaaaaaaaaaaa', path(1));

describe('nearDuplicates()', () => {
  it('finds nothing among takes to different goals', () => {
    expect(nearDuplicates(OTHERS)).toEqual([]);
  });

  it.each([
    ['a copy', path(1), 'X01', 0],
    ['a noisy copy', path(1, { noise: 0.004 }), 'X02', SAME_PATH],
    ['half of the frames', path(1, { every: 2 }), 'X02', SAME_PATH],
    ['a shift by two frames', path(1, { shift: 2 }), 'X02', SIMILAR_PATH],
  ])('finds %s', (_, steps, check, below) => {
    const found = nearDuplicates([ORIGINAL, ...OTHERS, traced('ffffffffffffffff', steps)]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ check, id: 'ffffffffffffffff', other: ORIGINAL.id });
    expect(found[0]!.value).toBeLessThanOrEqual(below);
  });

  it('finds a copy of a file without joints', () => {
    const plain = { file: 'a.mcap', id: 'a', digest: 'sha256:1', trace: undefined };
    expect(nearDuplicates([plain, ...OTHERS, { ...plain, file: 'b.mcap', id: 'b' }])).toMatchObject([
      { check: 'X01', id: 'b', other: 'a' },
    ]);
  });

  it('says where the video is the same, too', () => {
    const again = traced('b', path(1, { noise: 0.004 }), ORIGINAL.trace!.hashes.get('front')![0]);
    const found = nearDuplicates([ORIGINAL, ...OTHERS, again]);
    expect(found.map(({ check }) => check)).toEqual(['X02', 'X03']);
  });
});

function episode(
  id: string,
  findings: readonly Partial<Finding>[],
  more: Partial<CheckedEpisode> = {},
): CheckedEpisode {
  const full = findings.map(
    (each) => ({ claim: 'DEFECT', status: 'pass', unit: '', evidence: {}, reason: '', ...each }) as Finding,
  );
  return {
    ...{
      file: `${id}.mcap`,
      id,
      info: undefined,
      contract: undefined,
      calibration: undefined,
      startTime: 0n,
    },
    ...{ durationSecs: 10, verdict: 'PASS', reasons: [], waived: new Set<string>(), findings: full },
    ...more,
  };
}

const gap = { id: 'T07/left', check: 'T07', stream: 'left', status: 'fail' } as const;

describe('fleetOf()', () => {
  it('counts findings by stream and by operator', () => {
    const by = (operator: string) => ({
      info: { operator, robot: 'r', task: 't' } as CheckedEpisode['info'],
    });
    const fleet = fleetOf([
      episode('1', [gap], by('p1')),
      episode('2', [gap], by('p1')),
      episode('3', [{ ...gap, status: 'pass' }], by('p2')),
    ]);
    expect(fleet.byStream).toEqual([{ name: 'left', episodes: 3, failing: 2, failures: 2, warnings: 0 }]);
    expect(fleet.byOperator.map(({ name, failing }) => [name, failing])).toEqual([
      ['p1', 2],
      ['p2', 0],
    ]);
  });

  it('takes for a trait what 95 of 100 episodes fail alike, and lets it exclude none', () => {
    const episodes = Array.from({ length: 100 }, (_, i) =>
      episode(`${i}`, i < 95 ? [gap] : [{ ...gap, status: 'pass' }]),
    );
    const { traits } = fleetOf(episodes);
    expect([...traits]).toEqual(['T07/left']);
    const judged = withLibraryFindings(episodes, { likenesses: [], traits });
    expect(new Set(judged.map(({ verdict }) => verdict))).toEqual(new Set(['PASS']));
    const fewer = episodes.map((each, i) => (i < 10 ? episode(`${i}`, [{ ...gap, status: 'pass' }]) : each));
    expect(fleetOf(fewer).traits.size).toBe(0);
  });

  it('takes for a trait what all episodes of one task fail and none of another', () => {
    const of = (task: string, status: 'fail' | 'pass', count: number) =>
      Array.from({ length: count }, (_, i) =>
        episode(`${task}${i}`, [{ ...gap, status }], { info: { task } as CheckedEpisode['info'] }),
      );
    expect(fleetOf([...of('pour', 'fail', 12), ...of('wipe', 'pass', 12)]).traits.size).toBe(1);
    expect(fleetOf([...of('pour', 'fail', 3), ...of('wipe', 'pass', 3)]).traits.size).toBe(0);
  });

  it('prints the rank correlation with the duration beside every ranking', () => {
    const episodes = Array.from({ length: 10 }, (_, i) =>
      episode(`${i}`, [{ id: 'E04', check: 'E04', value: i * i }], { durationSecs: 5 + i }),
    );
    expect(fleetOf(episodes).rankings).toMatchObject([
      { check: 'E04', durationCorrelation: 1, episodes: [{ id: '9' }, ...Array(9).fill({})] },
    ]);
  });
});

describe('spearman()', () => {
  it.each([
    [[1, 2, 3, 4], [10, 100, 1000, 10_000], 1],
    [[1, 2, 3, 4], [4, 3, 2, 1], -1],
    // Ties share the mean rank: scipy.stats.spearmanr gives 0.9486833.
    [[1, 2, 2, 4], [1, 2, 3, 4], 0.9486833],
  ])('of %j and %j is %d', (a, b, expected) => {
    expect(spearman(a, b)).toBeCloseTo(expected, 6);
  });
});

describe('coverageOf()', () => {
  const take = (task: string) => ({ info: { task, operator: 'p1' }, outcome: 'success' as const });

  it('measures how even the classes are and names the small ones', () => {
    const even = coverageOf([take('a'), take('b')], undefined).balance.find(
      ({ property }) => property === 'task',
    )!;
    expect(even).toMatchObject({ evenness: 1, small: [] });
    const uneven = coverageOf([...Array.from({ length: 39 }, () => take('a')), take('b')], undefined);
    expect(uneven.balance[0]).toMatchObject({ small: ['b'] });
  });

  it('says how far a plan is', () => {
    const plan = { kinescribe: 1, targets: [{ task: 'a', count: 3 }] } as const;
    expect(coverageOf([take('a')], { ...plan, targets: [...plan.targets] }).targets).toMatchObject([
      { done: 1, left: 2 },
    ]);
  });
});
