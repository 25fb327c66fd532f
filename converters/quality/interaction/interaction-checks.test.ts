import { describe, expect, test } from 'vitest';
import type { MessageValue } from '../../../schemas/message.ts';
import {
  CALIBRATION,
  cleanArm,
  GRASP,
  judge,
  STREAMS,
  secsOf,
  aperture as told,
  withValue,
  wrenchValue,
} from '../arm.fixture.ts';
import type { Observation } from '../observation.ts';
import { type SweepRow, sweep } from '../sweep.fixture.ts';
import { INTERACTION_CHECKS } from './interaction-checks.ts';

const AT = 2;

/** Changes the six numbers of the force sensor. */
function forces(
  take: readonly Observation[],
  change: (wrench: readonly number[], secs: number, index: number) => readonly number[],
): Observation[] {
  let index = 0;
  return take.map((each) => {
    if (each.stream.name !== 'wrench') return each;
    const { force, torque } = each.value!.wrench as Record<
      'force' | 'torque',
      Record<'x' | 'y' | 'z', number>
    >;
    const wrench = change([force.x, force.y, force.z, torque.x, torque.y, torque.z], secsOf(each), index++);
    return { ...each, value: wrenchValue(wrench.slice(0, 3), wrench.slice(3)) };
  });
}

const push = (take: readonly Observation[], newtons: (secs: number, index: number) => number) =>
  forces(take, ([x, y, z, ...torque], secs, i) => [x! + newtons(secs, i), y!, z!, ...torque]);

/** Changes what a stream of joints says of the gripper. */
function gripper(
  take: readonly Observation[],
  stream: string,
  change: (state: { aperture: number; effort: number; secs: number }) => {
    aperture?: number;
    effort?: number;
  },
): Observation[] {
  return take.map((each) => {
    if (each.stream.name !== stream) return each;
    return withValue(each, (value): MessageValue => {
      const [position, effort] = [value.position as number[], value.effort as number[]];
      const changed = change({ aperture: position[2]!, effort: effort[2] ?? 0, secs: secsOf(each) });
      return {
        ...value,
        position: [position[0], position[1], changed.aperture ?? position[2]],
        effort: effort.length > 0 ? [effort[0], effort[1], changed.effort ?? effort[2]] : [],
      };
    });
  });
}

function skin(
  take: readonly Observation[],
  change: (pressure: number, taxel: number, secs: number) => number,
): Observation[] {
  return take.map((each) => {
    if (each.stream.name !== 'tactile') return each;
    return withValue(each, (value) => {
      const pressure = (value.pressure as Float32Array).map((p, i) => change(p, i, secsOf(each)));
      return { ...value, pressure };
    });
  });
}

const force = (each: Partial<SweepRow> & Pick<SweepRow, 'id' | 'inject' | 'threshold'>): SweepRow => {
  return { stream: 'wrench', ...each };
};
const hand = (each: Partial<SweepRow> & Pick<SweepRow, 'id' | 'inject' | 'threshold'>): SweepRow => {
  return { stream: 'joints', channel: 'gripper', streams: ['description', 'joints', 'commands'], ...each };
};
const touch = (each: Partial<SweepRow> & Pick<SweepRow, 'id' | 'inject' | 'threshold'>): SweepRow => {
  return { stream: 'tactile', ...each };
};

const ROWS: readonly SweepRow[] = [
  force({
    ...{ id: 'I01', channel: 'force.x', threshold: 10, at: AT },
    inject: (take, samples) =>
      forces(take, ([x, ...rest], _s, i) => [i >= 400 && i < 400 + samples ? 90 : x!, ...rest]),
  }),
  force({
    ...{ id: 'I02', streams: ['joints', 'wrench'], threshold: 5 },
    inject: (take, newtons) => push(take, () => newtons),
  }),
  force({
    ...{ id: 'I03', streams: ['joints', 'wrench'], threshold: 3 },
    // From the first rest to the last, 10.5 s later.
    inject: (take, newtons) => push(take, (secs) => (newtons * secs) / 10.5),
  }),
  force({
    ...{ id: 'I04', streams: ['joints', 'wrench', 'tf'], threshold: 1.5 },
    // A wave slower than contact, that neither weight nor bias explains; the fit takes a fifth of it.
    inject: (take, newtons) =>
      push(take, (secs) => 1.25 * newtons * Math.SQRT2 * Math.sin((2 * Math.PI * secs) / 8)),
  }),
  force({
    ...{ id: 'I05', channel: 'force.y', threshold: 5 },
    inject: (take, times) => forces(take, ([x, y, ...rest]) => [x!, y! * times, ...rest]),
  }),
  force({
    ...{ id: 'I06', channel: 'torque.x', threshold: 1, at: AT },
    inject: (take, secs) =>
      forces(take, (wrench, t) => wrench.map((n, i) => (i === 3 && t >= AT && t < AT + secs ? 0.01 : n))),
  }),
  force({
    ...{ id: 'I07', threshold: 40, strengths: [20, 80], at: AT },
    inject: (take, newtons) => push(take, (secs) => (secs >= AT && secs < AT + 0.3 ? newtons : 0)),
  }),
  force({
    ...{ id: 'I08', threshold: 10, at: AT, within: 2.1 },
    // Every touch begins and ends.
    inject: (take, hz) =>
      push(take, (secs) => (secs >= AT && secs < AT + 2 && (secs * hz) % 2 < 0.9 ? 6 : 0)),
  }),
  hand({
    ...{ id: 'I09', threshold: 5, strengths: [2.4, 10], at: 9, within: 2.1 },
    inject: (take, hz) =>
      gripper(take, 'joints', ({ aperture, secs }) => {
        return { aperture: secs >= 9 ? aperture - (Math.floor(secs * hz) % 2 ? 0.01 : 0) : aperture };
      }),
  }),
  hand({
    ...{ id: 'I10', threshold: 0.02, strengths: [0.5, 0.01], status: 'warn' },
    inject: (take, share) =>
      gripper(take, 'joints', ({ aperture }) => ({ aperture: 0.08 - (0.08 - aperture) * 2 * share })),
  }),
  hand({
    ...{ id: 'I11', threshold: 1, strengths: [0, 2], at: GRASP.from },
    inject: (take, count) =>
      gripper(take, 'joints', ({ aperture, secs }) => ({
        aperture: count > 0 && secs >= 3 ? 0.08 : aperture,
      })).map((each) => (count > 0 ? closedTwice(each) : each)),
  }),
  hand({
    ...{ id: 'I12', threshold: 0.5, strengths: [0, 1], status: 'warn', at: GRASP.from + 0.4 },
    streams: ['joints', 'commands', 'wrench'],
    inject: (take, numb) => gripper(take, 'joints', ({ effort }) => ({ effort: numb ? 0 : effort })),
  }),
  hand({
    ...{ id: 'I13', threshold: 1, strengths: [0, 1], status: 'warn', at: 6 },
    // The object slips out: the fingers close on what they were told.
    inject: (take, slips) =>
      gripper(take, 'joints', ({ aperture, secs }) => {
        const isLost = slips > 0 && secs >= 6 && secs < GRASP.to + 0.1;
        return { aperture: isLost ? Math.max(0.025, 0.04 - (secs - 6) * 0.1) : aperture };
      }),
  }),
  touch({
    ...{ id: 'I14', threshold: 0.1, strengths: [0.05, 0.2] },
    inject: (take, share) => skin(take, (pressure, taxel) => (taxel < Math.floor(16 * share) ? 0 : pressure)),
  }),
  touch({
    ...{ id: 'I15', threshold: 0.2, strengths: [0.1, 0.4] },
    inject: (take, kept) =>
      skin(take, (pressure, _taxel, secs) => {
        const since = secs - (GRASP.to + 0.05);
        return since > 0 ? Math.max(pressure, kept * 0.375 * Math.exp(-since / 4)) : pressure;
      }),
  }),
];

/** A second closing after the first, so that two commands find no answer. */
function closedTwice(each: Observation): Observation {
  const secs = secsOf(each);
  if (each.stream.name !== 'commands' || secs < 10) return each;
  return withValue(each, (value) => {
    const position = value.position as number[];
    return { ...value, position: [position[0], position[1], Math.max(0.02, 0.08 - (secs - 10) * 0.3)] };
  });
}

describe('INTERACTION_CHECKS', () => {
  sweep(INTERACTION_CHECKS, ROWS);

  const of = (id: string) => INTERACTION_CHECKS.filter((check) => check.id === id);
  const HAND = ['description', 'joints', 'commands'];

  test('I13 counts a closing on nothing', () => {
    const empty = gripper(cleanArm(1, HAND), 'joints', ({ secs, aperture }) => {
      const isClosed = secs > GRASP.from && secs < GRASP.to + 0.4;
      return { aperture: isClosed ? told(secs - 0.05) : aperture };
    });
    const [finding] = judge(of('I13'), empty);
    expect(finding).toMatchObject({ status: 'warn', value: 1, evidence: { empty: 1, lost: 0, grasps: 0 } });
    expect(judge(of('I13'), cleanArm(1, HAND))[0]).toMatchObject({
      evidence: { empty: 0, lost: 0, grasps: 1 },
    });
  });

  test('I13 counts neither a tremble around the goal nor a grasp that is told to close further', () => {
    const trembling = gripper(cleanArm(1, HAND), 'joints', ({ secs, aperture }) => {
      return { aperture: aperture + (secs % 2 < 1 && aperture > 0.07 ? 0.007 : 0) };
    });
    const tightened = cleanArm(1, HAND).map((each) => {
      const [secs, { name }] = [secsOf(each), each.stream];
      if (name !== 'commands' || secs < 6 || secs > GRASP.to) return each;
      return withValue(each, (value) => {
        const position = value.position as number[];
        return { ...value, position: [position[0], position[1], 0.01] };
      });
    });
    const squeezed = gripper(tightened, 'joints', ({ secs, aperture }) => {
      return { aperture: secs > 6.1 && secs < GRASP.to ? aperture - 0.005 : aperture };
    });
    expect(judge(of('I13'), trembling)[0]).toMatchObject({ value: 0, evidence: { grasps: 1 } });
    expect(judge(of('I13'), squeezed)[0]).toMatchObject({ value: 0, evidence: { lost: 0 } });
  });

  test('I13 does not judge the fingers of a hand one by one', () => {
    const stream = { ...STREAMS.joints! };
    const fingers = cleanArm(1, ['joints']).map((each) =>
      withValue({ ...each, stream }, (value) => ({ ...value, name: ['a', 'b', 'rightHandPinky'] })),
    );
    expect(judge(of('I13'), fingers)).toMatchObject([{ status: 'not_assessed', channel: 'rightHandPinky' }]);
  });

  test('I01 takes no heed of a sensor with coarse steps that rests at its largest value', () => {
    const coarse = forces(cleanArm(1, ['wrench']), (wrench) => wrench.map((n) => Math.round(n * 4) / 4));
    expect(judge(of('I01'), coarse)[0]).toMatchObject({ value: 0 });
  });

  test('I08 takes a long press for one contact, by its own noise and without a calibration', () => {
    const pressed = push(cleanArm(1, ['wrench']), (secs) => (secs > 3 && secs < 9 ? 8 : 0));
    for (const calibration of [CALIBRATION, { ...CALIBRATION, wrenches: {} }]) {
      expect(judge(of('I08'), pressed, { calibration })[0]).toMatchObject({
        status: 'pass',
        evidence: { contacts: 1 },
      });
    }
  });

  test.each(['I02', 'I05'])('%s is not assessed without a calibration', (id) => {
    const findings = judge(of(id), cleanArm(1, ['joints', 'wrench']), {
      calibration: { ...CALIBRATION, wrenches: {} },
    });
    expect(findings).toMatchObject([
      { status: 'not_assessed', reason: expect.stringContaining('calibration') },
    ]);
  });

  test('every check says why it cannot judge an episode without forces, grippers and touch', () => {
    const findings = judge(INTERACTION_CHECKS, cleanArm(1, ['camera']));
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual(
      INTERACTION_CHECKS.map(({ id }) => `${id} not_assessed`),
    );
  });
});
