import { describe, expect, test } from 'vitest';
import type { MessageValue } from '../../../schemas/message.ts';
import { cleanArm, judge, STREAMS, secsOf, target, withValue, wrenchValue } from '../arm.fixture.ts';
import type { Observation } from '../observation.ts';
import { placeOf, random } from '../rig.fixture.ts';
import type { CheckedStream } from '../subject.ts';
import { type SweepRow, sweep } from '../sweep.fixture.ts';
import { MOTION_CHECKS } from './motion-checks.ts';

const AT = 3;
const PLACE: Readonly<Record<string, number>> = { a: 0, b: 1 };

/** Changes one joint of one stream; the row's number of the message comes along. */
function joint(
  take: readonly Observation[],
  [stream, name]: readonly [string, 'a' | 'b'],
  change: (position: number, secs: number, index: number) => number,
  key: 'position' | 'velocity' | 'effort' = 'position',
): Observation[] {
  let index = 0;
  return take.map((each) => {
    if (each.stream.name !== stream) return each;
    const at = index++;
    return withValue(each, (value) => {
      const numbers = [...(value[key] as number[])];
      numbers[PLACE[name]!] = change(numbers[PLACE[name]!]!, secsOf(each), at);
      return { ...value, [key]: numbers };
    });
  });
}

const motion = (each: Partial<SweepRow> & Pick<SweepRow, 'id' | 'inject' | 'threshold'>): SweepRow => ({
  stream: 'joints',
  ...each,
});
const command = (each: Partial<SweepRow> & Pick<SweepRow, 'id' | 'inject' | 'threshold'>): SweepRow => ({
  stream: 'commands',
  ...each,
});

const ROWS: readonly SweepRow[] = [
  motion({
    ...{ id: 'K01', channel: 'a', streams: ['description', 'joints'], threshold: 2.5, at: AT },
    inject: (take, samples) =>
      joint(take, ['joints', 'a'], (q, secs) => (secs >= AT && secs < AT + samples / 100 ? 2.3 : q)),
  }),
  motion({
    ...{ id: 'K02', channel: 'a', streams: ['description', 'joints'], threshold: 0.25, at: AT },
    inject: (take, share) =>
      joint(take, ['joints', 'a'], (q, secs) => (secs >= AT && secs < AT + 12 * share ? 1.95 : q)),
  }),
  motion({
    ...{ id: 'K03', channel: 'b', streams: ['description', 'joints'], threshold: 0.02 },
    inject: (take, share) =>
      joint(take, ['joints', 'b'], (q, _s, i) => (i % Math.round(2 / share) === 0 ? q + 0.05 : q)),
  }),
  motion({
    ...{ id: 'K04', channel: 'a', threshold: 2 * Math.PI, strengths: [0.04, 2 * Math.PI], at: AT },
    inject: (take, radians) => joint(take, ['joints', 'a'], (q, secs) => (secs >= AT ? q + radians : q)),
  }),
  motion({
    ...{ id: 'K05', channel: 'b', threshold: 0.02 },
    inject: (take, share, seed) => {
      const next = random(seed);
      return joint(take, ['joints', 'b'], (q) => (next() < share * 1.1 ? q + 0.05 : q));
    },
  }),
  motion({
    ...{ id: 'K06', streams: ['joints', 'commands'], threshold: 0.5, at: 1.2 },
    inject: (take, secs) => held(take, 'joints', [1.15, 1.15 + secs]),
  }),
  motion({
    ...{ id: 'K07', channel: 'b', streams: ['joints', 'commands'], threshold: 1, strengths: [0.5, 0.999] },
    inject: (take, share) => joint(take, ['joints', 'b'], (q) => q * (1 - share) + 0.3 * share),
  }),
  motion({
    ...{ id: 'K10', threshold: 0.3, strengths: [0.15, 0.6] },
    // Power of a tremor of amplitude A and 8 Hz against that of the motion.
    inject: (take, share) => {
      const amplitude = 0.013 * Math.sqrt(share / (1 - share));
      return joint(take, ['joints', 'a'], (q, secs) => q + amplitude * Math.sin(2 * Math.PI * 8 * secs));
    },
  }),
  motion({
    ...{ id: 'K10', channel: 'effort', threshold: 0.3, strengths: [0.15, 0.6], clean: loaded },
    // Against the 1.3 N·m (RMS) by which the load of the arm varies.
    inject: (take, share) => {
      const amplitude = 1.3 * Math.sqrt((2 * share) / (1 - share));
      return joint(
        take,
        ['joints', 'a'],
        (e, secs) => e + amplitude * Math.sin(2 * Math.PI * 30 * secs),
        'effort',
      );
    },
  }),
  motion({
    ...{ id: 'K11', threshold: 5, at: 4 },
    // All that is left of the motion are the first movement and the last.
    inject: (take, secs) =>
      joint(take, ['joints', 'a'], (_q, t) => pausing(t, secs)).map((each) =>
        withValue(each, (value) => ({ ...value, position: [(value.position as number[])[0]!, 0, 0.08] })),
      ),
    strengths: [2.5, 6],
  }),
  motion({
    ...{ id: 'K12', channel: 'a', threshold: 0.5 },
    inject: (take, off) =>
      joint(take, ['joints', 'a'], (v) => v / Math.max(0.05, 1 - off / 1.001), 'velocity'),
    strengths: [0.25, 0.999],
  }),
  motion({
    ...{ id: 'K13', stream: 'tf', streams: ['description', 'joints', 'tf'], threshold: 10 },
    inject: (take, mm) => joint(take, ['joints', 'a'], (q) => q + mm / 400),
  }),
  motion({
    ...{ id: 'K14', stream: 'tf', threshold: 1e-2 },
    inject: (take, off) => take.map((each) => withValue(each, (value) => scaled(value, 1 + off * 1.01))),
  }),
  command({
    ...{ id: 'A01', channel: 'b', threshold: 1, strengths: [0, 2], at: AT },
    inject: (take, count) =>
      joint(take, ['commands', 'b'], (a, _s, i) => (i >= 150 && i < 150 + count ? Number.NaN : a)),
  }),
  command({
    ...{ id: 'A02', channel: 'a', streams: ['description', 'commands'], threshold: 0.3 },
    inject: (take, share) => joint(take, ['commands', 'a'], (a, secs) => (secs > 12 * (1 - share) ? 2 : a)),
  }),
  command({
    ...{ id: 'A03', channel: 'a', threshold: 10 },
    // An episode shorter than a minute counts as one.
    inject: (take, jumps) =>
      joint(take, ['commands', 'a'], (a, secs) => {
        const so = Math.min(jumps, Math.floor((secs * (jumps + 1)) / 12));
        return a + 0.15 * (so % 2);
      }),
  }),
  command({
    ...{ id: 'A04', channel: 'b', streams: ['joints', 'commands'], threshold: 0.122 },
    inject: (take, radians) => joint(take, ['joints', 'b'], (q) => q + radians),
  }),
  command({
    ...{ id: 'A05', streams: ['joints', 'commands'], threshold: 0.15 },
    inject: (take, more) => lagging(take, 0.05 + more),
  }),
  command({
    ...{ id: 'A05', streams: ['joints', 'commands'], threshold: -0.02, strengths: [-0.01, -0.04] },
    inject: (take, lag) => lagging(take, lag),
  }),
  command({
    ...{
      id: 'A06',
      channel: 'b',
      streams: ['joints', 'commands'],
      threshold: 1,
      status: 'warn',
      strengths: [0, 1],
    },
    inject: (take, turned) => joint(take, ['joints', 'b'], (q) => (turned ? -q : q)),
  }),
  command({
    ...{ id: 'A07', streams: ['joints', 'commands'], threshold: 0.99, strengths: [0.4, 1] },
    inject: (take, share) => copied(take, share),
  }),
  command({
    ...{
      id: 'A08',
      channel: 'a',
      streams: ['joints', 'commands'],
      threshold: 0.5,
      status: 'info',
      strengths: [0.25, 0.99],
    },
    inject: (take, share) => joint(take, ['commands', 'a'], (a, secs) => (secs < 12 * share ? a + 2 : a)),
  }),
  command({
    ...{ id: 'A09', channel: 'b', streams: ['description', 'commands'], threshold: 10, strengths: [4, 20] },
    // A square wave of so many edges a second.
    inject: (take, hz) =>
      joint(take, ['commands', 'b'], (a, secs) => a + (Math.floor(secs * hz) % 2 ? 0.1 : 0)),
  }),
];

/** An arm whose first joint carries a load. */
function loaded(seed: number): readonly Observation[] {
  return cleanArm(seed, ['joints']).map((each) =>
    withValue(each, (value) => {
      const [q] = value.position as number[];
      const [, ...others] = value.effort as number[];
      return { ...value, effort: [3 * Math.sin(q!), ...others] };
    }),
  );
}

/** Repeats the last message of a stream over a stretch of time. */
function held(
  take: readonly Observation[],
  stream: string,
  [from, to]: readonly [number, number],
): Observation[] {
  let last: MessageValue | undefined;
  return take.map((each) => {
    if (each.stream.name !== stream) return each;
    const isHeld = last && secsOf(each) >= from && secsOf(each) < to;
    if (!isHeld) last = each.value;
    return { ...each, value: last };
  });
}

function pausing(secs: number, pause: number): number {
  const start = Math.min(1, secs / 4);
  const end = Math.min(1, Math.max(0, (secs - 4 - pause) / 1.5));
  return start - end;
}

function scaled(value: MessageValue, factor: number): MessageValue {
  const transforms = value.transforms as { transform: { rotation: Record<'x' | 'y' | 'z' | 'w', number> } }[];
  return {
    transforms: transforms.map((each) => {
      const { x, y, z, w } = each.transform.rotation;
      const rotation = { x: x * factor, y: y * factor, z: z * factor, w: w * factor };
      return { ...each, transform: { ...each.transform, rotation } };
    }),
  };
}

/** States that follow after another time. */
function lagging(take: readonly Observation[], lag: number): Observation[] {
  return take.map((each) => {
    if (each.stream.name !== 'joints') return each;
    return withValue(each, (value) => ({ ...value, position: [...target(secsOf(each) - lag), 0.08] }));
  });
}

function copied(take: readonly Observation[], share: number): Observation[] {
  let state: readonly number[] | undefined;
  let index = 0;
  return take.map((each) => {
    if (each.stream.name === 'joints') state = each.value!.position as number[];
    if (each.stream.name !== 'commands' || !state || index++ % 10 >= 10 * share) return each;
    const position = state;
    return withValue(each, (value) => ({ ...value, position }));
  });
}

describe('MOTION_CHECKS', () => {
  sweep(MOTION_CHECKS, ROWS);

  const of = (id: string) => MOTION_CHECKS.filter((check) => check.id === id);

  test.each([
    ['K09', -12, -4],
    ['K15', 0.99, 1],
  ])('%s describes clean movements by a number from %d to %d', (id, low, high) => {
    const [finding] = judge(of(id), cleanArm(1, ['joints']));
    expect(finding).toMatchObject({ status: 'info', stream: 'joints' });
    expect(finding!.value).toBeGreaterThan(low);
    expect(finding!.value).toBeLessThanOrEqual(high);
  });

  test('K08 falls with tremor and K15 with detours', () => {
    const shaken = joint(
      cleanArm(1, ['joints']),
      ['joints', 'a'],
      (q, t) => q + 0.02 * Math.sin(2 * Math.PI * 6 * t),
    );
    const arcOf = (take: readonly Observation[]) => judge(of('K08'), take)[0]!.evidence.sparc as number;
    const clean = arcOf(cleanArm(1, ['joints']));
    expect(clean).toBeGreaterThan(-1.9);
    expect(clean).toBeLessThan(-1.3);
    expect(arcOf(shaken)).toBeLessThan(clean - 0.3);
    const bent = joint(
      cleanArm(1, ['joints']),
      ['joints', 'b'],
      (q, t) => q + 0.4 * Math.sin(2 * Math.PI * t),
    );
    expect(judge(of('K15'), bent)[0]!.value).toBeLessThan(0.9);
  });

  test('K04 lets fingers snap shut, and tells when their encoder wraps', () => {
    const snapping = (jump: number) =>
      cleanArm(1, ['joints']).map((each) =>
        withValue(each, (value) => {
          const [a, b] = value.position as number[];
          return { ...value, position: [a, b, secsOf(each) < AT ? 0.08 : 0.08 - jump] };
        }),
      );
    const of = MOTION_CHECKS.filter(({ id }) => id === 'K04');
    expect(judge(of, snapping(0.06))).toMatchObject([{ status: 'pass' }]);
    expect(judge(of, snapping(2 * Math.PI))).toMatchObject([{ status: 'fail', channel: 'gripper' }]);
  });

  test('a joint of two positions is a switch: its jumps are none', () => {
    const isOn = (secs: number) => (Math.floor(secs * 4) % 2 ? 1.999 : -1.999);
    const streams = ['description', 'joints', 'commands'];
    const switched = (['joints', 'commands'] as const).reduce<readonly Observation[]>(
      (take, stream) => joint(take, [stream, 'b'], (_q, secs) => isOn(secs)),
      cleanArm(1, streams),
    );
    const ids = ['K02', 'K03', 'K04', 'K05', 'A02', 'A03', 'A09'];
    const told = ids.flatMap((id) => judge(of(id), switched)).filter(({ status }) => status === 'fail');
    expect(told).toEqual([]);
    // With a third position it is a joint that jumps.
    const loose = joint(switched, ['joints', 'b'], (q, secs) => (secs > 11.9 ? 0.5 : q));
    expect(judge(of('K04'), loose)).toMatchObject([{ status: 'fail', channel: 'b' }]);
  });

  test.each([
    ['a push at 6 s', 0.8, 'pass'],
    ['a force that is no contact', 0.3, 'fail'],
  ])('K11 hears %s while the arm stands still', (_, newtons, status) => {
    // It stands from 4 s to 10.5 s; contact begins at 0.6 N and cuts that in two.
    const still = joint(cleanArm(1, ['joints', 'wrench']), ['joints', 'a'], (_q, t) => pausing(t, 6.5)).map(
      (each) => {
        if (each.stream.name === 'joints') {
          const [a] = each.value!.position as number[];
          return withValue(each, (value) => ({ ...value, position: [a, 0, 0.08] }));
        }
        const isPushed = secsOf(each) >= 5 && secsOf(each) < 9;
        return { ...each, value: wrenchValue([0.1, 0, isPushed ? -8 - newtons : -8]) };
      },
    );
    const [finding] = judge(of('K11'), still);
    expect(finding).toMatchObject({ stream: 'joints', status });
    expect(placeOf(finding!)).toBeCloseTo(status === 'fail' ? 4 : 9, 0);
  });

  test('K11 hears the gripper of another stream', () => {
    const hand: CheckedStream = { ...STREAMS.joints!, name: 'hand', topic: '/hand' };
    const still = joint(cleanArm(1, ['joints']), ['joints', 'a'], (_q, t) => pausing(t, 6.5)).flatMap(
      (each) => {
        const [a] = each.value!.position as number[];
        const aperture = 0.08 - 0.03 * Math.min(1, Math.max(0, secsOf(each) - 7));
        const value = { name: ['gripper'], position: [aperture], velocity: [], effort: [] };
        const arm = withValue(each, (own) => ({ ...own, position: [a, 0, 0.08] }));
        return [{ ...each, stream: hand, value }, arm];
      },
    );
    const [finding, ...more] = judge(of('K11'), still);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ stream: 'joints', status: 'warn' });
    expect(finding!.value).toBeCloseTo(3, 0);
  });

  test.each([
    [0.05, 'pass'],
    [0.2, 'warn'],
    [0.9, 'warn'],
    [2, 'fail'],
  ])(
    'K13 says of a last joint whose encoder is off by %d° that its link is turned: %s',
    (degrees, status) => {
      const streams = ['description', 'joints', 'tf'];
      const off = joint(cleanArm(1, streams), ['joints', 'b'], (q) => q + (degrees * Math.PI) / 180);
      const [finding] = judge(of('K13'), off);
      expect(finding).toMatchObject({ status, stream: 'tf' });
      expect(finding!.value).toBeLessThan(1);
      expect(finding!.evidence.degrees).toBeCloseTo(degrees, 1);
      if (status !== 'pass') expect(finding!.channel).toBe('lower');
    },
  );

  test('every check says why it cannot judge an episode without joints', () => {
    const findings = judge(MOTION_CHECKS, cleanArm(1, ['wrench']));
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual(
      MOTION_CHECKS.map(({ id }) => `${id} not_assessed`),
    );
    for (const { reason } of findings) expect(reason.length).toBeGreaterThan(10);
  });

  test('limits of the contract come before those of the robot description', () => {
    const findings = judge(of('K01'), cleanArm(1, ['joints']));
    expect(findings[0]).toMatchObject({ status: 'not_assessed', reason: expect.stringContaining('limits') });
  });
});
