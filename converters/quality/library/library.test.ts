import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../schemas/finding.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { random } from '../rig.fixture.ts';
import { median, medianDeviation, SIGMAS_PER_MAD } from '../robust.ts';
import { coverageOf } from './coverage.ts';
import { fleetOf } from './fleet.ts';
import { withLibraryFindings } from './library-findings.ts';
import { nearDuplicates, SAME_PATH, SIMILAR_PATH, type TracedEpisode } from './near-duplicates.ts';
import { occupancyOf } from './occupancy.ts';
import { outliersOf } from './outliers.ts';
import { withTaskSmoothness } from './task-smoothness.ts';

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
    const judged = withLibraryFindings(episodes, { likenesses: [], outliers: [], traits });
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

/** Episodes whose twelve values vary together, as those of one task do. */
function varied(seed: number, count: number): CheckedEpisode[] {
  const next = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Array.from({ length: count }, (_, i) => {
    const common = normal();
    const findings = Array.from({ length: 12 }, (_, k) => ({
      ...{ id: `K${10 + k}`, check: `K${10 + k}`, claim: 'RISK' as const },
      value: k + common + 0.5 * normal(),
    }));
    return episode(`${i}`, findings);
  });
}

/** One episode of which every second value goes against the others, `off` of its own spread each. */
function withOdd(episodes: readonly CheckedEpisode[], off: number): CheckedEpisode[] {
  const odd = (findings: CheckedEpisode['findings']) =>
    findings.map((each, k) => ({ ...each, value: k + (k % 2 === 0 ? off : -off) * 0.5 }));
  return episodes.map((each, i) => (i === 7 ? { ...each, findings: odd(each.findings) } : each));
}

describe('withTaskSmoothness()', () => {
  /** Arc lengths of one task, and one episode that lies this far below their middle in robust deviations. */
  const library = (seed: number, count: number, z: number) => {
    const next = random(seed);
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const arcs = Array.from({ length: count }, () => -2 + 0.2 * normal());
    const odd = median(arcs) - z * Math.max(0.05, SIGMAS_PER_MAD * medianDeviation(arcs));
    return [odd, ...arcs].map((sparc, i) =>
      episode(`${i}`, [
        {
          ...{ id: 'K08/joints', check: 'K08', claim: 'RISK', status: 'not_assessed' },
          evidence: { sparc, movements: 9 },
        },
      ]),
    );
  };
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
  const statusOf = ({ findings }: CheckedEpisode) => findings[0]!.status;

  it('finds every episode at twice the threshold and none at half of it', () => {
    for (const seed of seeds) {
      const [far] = withTaskSmoothness(library(seed, 30, 5), []);
      expect(far!.findings[0]).toMatchObject({ status: 'fail', value: expect.closeTo(-5, 6), limit: -2.5 });
      expect(far!.findings[0]!.evidence).toMatchObject({ peers: 30, movements: 9 });
      expect(statusOf(withTaskSmoothness(library(seed, 30, 1.25), [])[0]!)).toBe('pass');
      expect(statusOf(withTaskSmoothness(library(seed, 30, -5), [])[0]!)).toBe('pass');
    }
  });

  it('takes few of one task for rough', () => {
    const told = seeds.flatMap((seed) =>
      withTaskSmoothness(library(seed, 60, 0), []).filter((each) => statusOf(each) === 'fail'),
    );
    expect(told.length / (seeds.length * 60)).toBeLessThanOrEqual(0.015); // a normal tail holds 0.6 %
  });

  it('needs eight others of the task, and counts neighbours that are not checked now', () => {
    const [one, ...others] = library(1, 8, 5);
    const [alone] = withTaskSmoothness([one!], []);
    expect(alone!.findings[0]).toMatchObject({ status: 'not_assessed', evidence: { peers: 0 } });
    expect(alone!.findings[0]!.reason).toBe('it needs 8 other episodes of the task, found 0');
    const task = one!.info?.task;
    const siblings = others.map(({ findings }) => ({ task, findings }));
    expect(statusOf(withTaskSmoothness([one!], siblings)[0]!)).toBe('fail');
    expect(statusOf(withTaskSmoothness([one!], siblings.slice(1))[0]!)).toBe('not_assessed');
    const elsewhere = siblings.map((each) => ({ ...each, task: 'another' }));
    expect(statusOf(withTaskSmoothness([one!], elsewhere)[0]!)).toBe('not_assessed');
  });
});

describe('outliersOf()', () => {
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

  it('finds the episode whose values are ordinary one by one but do not belong together', () => {
    for (const seed of seeds) {
      const found = outliersOf(withOdd(varied(seed, 60), 4));
      expect(found.map(({ file }) => file)).toContain('7.mcap');
    }
  });

  it('says nothing of an episode half as odd as one at the limit', () => {
    const told = seeds.filter((seed) =>
      outliersOf(withOdd(varied(seed, 60), 1)).some(({ file }) => file === '7.mcap'),
    );
    expect(told).toEqual([]);
  });

  it('takes at most one clean episode in a hundred for an outlier', () => {
    const told = seeds.reduce((sum, seed) => sum + outliersOf(varied(seed, 60)).length, 0);
    expect(told / (seeds.length * 60)).toBeLessThanOrEqual(0.01);
  });

  it('says nothing of a task with few episodes', () => {
    expect(outliersOf(withOdd(varied(1, 19), 40))).toEqual([]);
  });

  it('sends an outlier to review and names what is odd', () => {
    const episodes = withOdd(varied(1, 60), 6);
    const judged = withLibraryFindings(episodes, {
      likenesses: [],
      outliers: outliersOf(episodes),
      traits: new Set(),
    });
    expect(judged[7]!.verdict).toBe('REVIEW');
    expect(judged[7]!.reasons[0]).toMatch(/differ from 59 other episodes of the task, most in K/);
  });
});

describe('occupancyOf()', () => {
  const line = (from: number, to: number) => ({
    path: Array.from({ length: 100 }, (_, i) => [from + ((to - from) * (i + 0.5)) / 100, 0]),
  });

  it('is 1 for a robot that never leaves its cell and 10 for one that crosses ten of them evenly', () => {
    expect(occupancyOf([line(0.01, 0.09), undefined])).toEqual({ episodes: 1, states: 1, starts: 1 });
    expect(occupancyOf([line(0, 1)])!.states).toBeCloseTo(10, 6);
  });

  it('tells starts that are all alike from those that differ', () => {
    expect(occupancyOf([line(0, 1), line(0, 2), line(0, 3)])!.starts).toBe(1);
    expect(occupancyOf([line(0, 1), line(1, 2), line(2, 3)])!.starts).toBeCloseTo(3, 6);
  });

  it('says nothing of episodes without joints', () => expect(occupancyOf([undefined])).toBeUndefined());
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
