import { describe, expect, it } from 'vitest';
import type { Calibration } from '../../../schemas/calibration.ts';
import { currentLabels, type Label } from '../../../schemas/labels.ts';
import { EPOCH } from '../../episode.fixture.ts';
import { CALIBRATION, judge, observation } from '../arm.fixture.ts';
import type { EpisodeFacts, Peer } from '../episode-facts.ts';
import { cleanTake, examine, placeOf, position, type RigMessage } from '../rig.fixture.ts';
import { EPISODE_CHECKS } from './episode-checks.ts';

/** Where a joint is when the motion is fitted between two rests, seconds. */
function take({ head = 0.2, tail = 0.2, pause = 0, secs = 10, start = -1 }): readonly RigMessage[] {
  const moving = secs - head - tail - pause;
  const at = (time: number) => {
    const half = moving / 2;
    const since = time < head + half + pause ? Math.min(time - head, half) : time - head - pause;
    const active = Math.min(moving, Math.max(0, since));
    return 1 + start + position(0.2 + active, moving + 0.4);
  };
  return cleanTake({ durationSecs: secs, streams: ['joints'] }).map((each) => {
    const noise = (each.value.position as number[]).map(
      (value, j) => value - position(each.stamp, secs) / (j + 1),
    );
    const q = [at(each.stamp) + noise[0]!, at(each.stamp) / 2 + noise[1]!];
    return { ...each, value: { ...each.value, position: q } };
  });
}

/** Joints that only tremble. */
function still(): readonly RigMessage[] {
  return cleanTake({ streams: ['joints'] }).map((each, i) => ({
    ...each,
    value: { ...each.value, position: [0.3 + 5e-5 * Math.sin(i * 7), 0] },
  }));
}

const info = (task: string) => ({ task }) as EpisodeFacts['info'];
const peers = (count: number, change: (i: number) => Partial<Peer> = () => ({})): readonly Peer[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ id: `${i}`, task: 'pick', durationSecs: 10 + (i % 3) * 0.3 },
    start: { joints: [-1 + 0.004 * (i % 5), -0.5] },
    steps: ['reach', 'grasp', 'place'],
    ...change(i),
  }));
const labels = (...list: readonly Label[]) =>
  currentLabels(list.map((label, i) => ({ id: `${i}`, author: 'p1', time: '2026-01-01T00:00:00Z', label })));
const mark = (name: string, from: number, to: number): Label => ({
  ...{ kind: 'mark', name },
  ...{ startTime: EPOCH + BigInt(from * 1e9), endTime: EPOCH + BigInt(to * 1e9) },
});

/** A gripper with an opening of 8 cm, in the instruction's episode: it closes at 3 s and opens at 6 s. */
function hand({ object = 0.04, opens = true }): readonly RigMessage[] {
  const told = (secs: number) => {
    const closing = Math.min(1, Math.max(0, (secs - 3) / 0.4));
    const opening = opens ? Math.min(1, Math.max(0, (secs - 6) / 0.4)) : 0;
    return 0.08 * (1 - closing + opening);
  };
  return cleanTake({ streams: ['joints', 'commands'] }).map((each) => {
    const aperture = each.stream === 'joints' ? Math.max(object, told(each.stamp - 0.05)) : told(each.stamp);
    const value = { name: ['gripper'], position: [aperture], velocity: [], effort: [] };
    return { ...each, value };
  });
}

/** An arm that rests while a hand's finger trembles until the end. */
function restless(messages: readonly RigMessage[]): readonly RigMessage[] {
  return messages.map((each, i) => {
    const position = [...(each.value.position as number[]), 0.5 + 0.02 * (Math.floor(i / 13) % 2)];
    return { ...each, value: { ...each.value, name: ['a', 'b', 'leftHandPinky'], position } };
  });
}

/** Commands beside joints, which follow them; after so many seconds they creep on, radians per second. */
function told(messages: readonly RigMessage[], { from = 6, creep = 0 }): readonly RigMessage[] {
  return messages.flatMap((each, i) => {
    if (i % 2) return [each];
    const position = (each.value.position as number[]).map((q, j) => {
      return Math.round(q * 1e3) / 1e3 + (j === 0 ? creep * Math.max(0, each.stamp - from) : 0);
    });
    return [each, { ...each, stream: 'commands' as const, value: { ...each.value, position } }];
  });
}

/** Forces beside joints: from six seconds on the arm presses. */
function pressing(messages: readonly RigMessage[], newtons: number): readonly RigMessage[] {
  return messages.flatMap((each) => {
    const force = { x: 0, y: 0, z: each.stamp < 6 ? 1 : 1 + newtons };
    return [
      each,
      { ...each, stream: 'wrench' as const, value: { wrench: { force, torque: { x: 0, y: 0, z: 0 } } } },
    ];
  });
}

/** A gripper beside joints, which closes over 0.4 s. */
function gripping(messages: readonly RigMessage[], from: number): readonly RigMessage[] {
  return messages.map((each) => {
    const aperture = 0.08 - 0.1 * Math.min(0.4, Math.max(0, each.stamp - from));
    const position = [...(each.value.position as number[]), aperture];
    return { ...each, value: { ...each.value, name: ['a', 'b', 'gripper'], position } };
  });
}

const calibration: Calibration = { ...CALIBRATION, home: { joints: { a: -1, b: -0.5 } } };

const asked = (task: string) => ({ facts: { info: info(task) } });
const steps = (...names: readonly string[]) => ({
  facts: {
    ...{ info: info('pick'), peers: peers(9) },
    labels: labels(...names.map((name, i) => mark(name, i + 1, i + 2))),
  },
});

const paused = (from: number, to: number) =>
  [
    { event: 'pause', by: 'p1', logTime: EPOCH + BigInt(from * 1e9) },
    { event: 'resume', by: 'p1', logTime: EPOCH + BigInt(to * 1e9) },
  ] as const;

interface Row {
  readonly id: string;
  readonly what: string;
  readonly messages?: readonly RigMessage[];
  readonly endSecs?: number;
  readonly facts?: Partial<EpisodeFacts>;
  readonly events?: ReturnType<typeof paused>;
  readonly calibration?: Calibration;
  readonly status: string;
  readonly place?: number;
}

const ROWS: readonly Row[] = [
  { id: 'E01', what: 'half a second', endSecs: 0.5, status: 'fail' },
  { id: 'E01', what: 'two seconds', endSecs: 2, status: 'pass' },
  {
    id: 'E02',
    what: 'four times as long',
    facts: { info: info('pick'), peers: peers(9, () => ({ durationSecs: 2.5 })) },
    status: 'fail',
  },
  {
    id: 'E02',
    what: 'as long as the others',
    facts: { info: info('pick'), peers: peers(9) },
    status: 'pass',
  },
  { id: 'E02', what: 'no others', status: 'not_assessed' },
  { id: 'E03', what: 'a rest of 4 s at the end', messages: take({ tail: 4 }), status: 'fail', place: 6 },
  { id: 'E03', what: 'a rest of 1 s at the start', messages: take({ head: 1 }), status: 'warn', place: 0 },
  { id: 'E03', what: 'short rests', messages: take({}), status: 'pass' },
  {
    ...{ id: 'E03', what: 'a rest of 4 s at the end, paused', messages: take({ tail: 4 }) },
    ...{ events: paused(5.9, 10), status: 'pass' },
  },
  {
    ...{ id: 'E03', what: 'a rest of 4 s at the end, half of it paused', messages: take({ tail: 4 }) },
    ...{ events: paused(6, 8.5), status: 'warn', place: 6 },
  },
  {
    ...{ id: 'E03', what: 'a rest of 4 s under a command that stays', status: 'fail', place: 6 },
    messages: told(take({ tail: 4 }), {}),
  },
  {
    ...{ id: 'E03', what: 'a rest of 4 s under a command that hardly changes', status: 'fail', place: 6 },
    messages: told(take({ tail: 4 }), { creep: 0.005 }),
  },
  {
    ...{ id: 'E03', what: 'an arm that stands while it is told to move', status: 'pass' },
    messages: told(take({ tail: 4 }), { creep: 0.02 }),
  },
  {
    ...{ id: 'E03', what: 'a rest of 4 s with a force that is no contact', status: 'fail', place: 6 },
    messages: pressing(take({ tail: 4 }), 2),
  },
  {
    ...{ id: 'E03', what: 'an arm that stands and presses', status: 'pass' },
    messages: pressing(take({ tail: 4 }), 6),
  },
  {
    ...{ id: 'E03', what: 'a rest beside a gripper that rests too', status: 'warn', place: 8.5 },
    messages: gripping(take({ tail: 1.5 }), 4),
  },
  {
    ...{ id: 'E03', what: 'a rest after a grasp, shorter than its settling', status: 'pass' },
    messages: gripping(take({ tail: 1.5 }), 8.7),
  },
  {
    ...{ id: 'E04', what: 'a pause of 6 s under a command that stays', status: 'fail', place: 2 },
    messages: told(take({ pause: 6 }), {}),
  },
  {
    ...{ id: 'E04', what: 'an arm that stands for 6 s while it is told to move', status: 'pass' },
    messages: told(take({ pause: 6 }), { from: 1, creep: 0.05 }),
  },
  {
    ...{ id: 'E04', what: 'a rest of 4 s with a force that is no contact', status: 'fail', place: 6 },
    messages: pressing(take({ tail: 4 }), 2),
  },
  {
    ...{ id: 'E04', what: 'an arm that stands for 4 s and presses', status: 'pass' },
    messages: pressing(take({ tail: 4 }), 6),
  },
  {
    ...{ id: 'E04', what: 'a marked pause of 6 s', messages: take({ pause: 6 }) },
    ...{ events: paused(1.9, 8.1), status: 'pass' },
  },
  { id: 'E04', what: 'a pause of 6 s', messages: take({ pause: 6 }), status: 'fail', place: 2 },
  { id: 'E04', what: 'a pause of 2 s', messages: take({ pause: 2 }), status: 'warn', place: 4 },
  { id: 'E05', what: 'a robot that still moves', messages: take({ tail: -1.5 }), status: 'warn', place: 9.7 },
  { id: 'E05', what: 'a robot that rests', messages: take({ tail: 0.6 }), status: 'pass' },
  { id: 'E05', what: 'an arm that rests', messages: restless(take({ tail: 0.6 })), status: 'pass' },
  { id: 'E05', what: 'a robot that never moves', messages: still(), status: 'not_assessed' },
  { id: 'E06', what: 'no outcome', status: 'info' },
  {
    id: 'E06',
    what: 'an outcome',
    facts: { labels: labels({ kind: 'outcome', value: 'failure' }) },
    status: 'pass',
  },
  { id: 'E07', what: '"test"', facts: { info: info('test') }, status: 'warn' },
  { id: 'E07', what: 'nothing', facts: { info: info('') }, status: 'warn' },
  { id: 'E07', what: 'an instruction', facts: { info: info('put the cup on the plate') }, status: 'pass' },
  {
    ...{ id: 'E08', what: 'a cup that is put down', messages: hand({}), status: 'pass' },
    ...asked('put the cup down'),
  },
  {
    ...{
      id: 'E08',
      what: 'a cup that is never let go',
      messages: hand({ opens: false }),
      status: 'warn',
      place: 3.4,
    },
    ...asked('put the cup down'),
  },
  {
    ...{ id: 'E08', what: 'a cup that is to be held', messages: hand({ opens: false }), status: 'pass' },
    ...asked('pick up the cup'),
  },
  {
    ...{ id: 'E08', what: 'fingers that close on nothing', messages: hand({ object: 0 }), status: 'warn' },
    ...asked('pick up the cup'),
  },
  {
    ...{ id: 'E08', what: 'a task without a grasp', messages: hand({}), status: 'not_assessed' },
    ...asked('wave'),
  },
  { ...{ id: 'E08', what: 'a robot without a hand', status: 'not_assessed' }, ...asked('pick up the cup') },
  { ...{ id: 'E12', what: 'the usual steps', status: 'pass' }, ...steps('reach', 'grasp', 'place') },
  {
    ...{ id: 'E12', what: 'a take-over among them', status: 'pass' },
    ...steps('reach', 'intervention', 'grasp', 'place'),
  },
  { ...{ id: 'E12', what: 'a step left out', status: 'warn', place: 2 }, ...steps('reach', 'place') },
  {
    ...{ id: 'E12', what: 'a step done twice', status: 'warn', place: 3 },
    ...steps('reach', 'grasp', 'grasp', 'place'),
  },
  { ...{ id: 'E12', what: 'an end too soon', status: 'warn', place: 2 }, ...steps('reach', 'grasp') },
  { id: 'E12', what: 'no marks', facts: { info: info('pick'), peers: peers(9) }, status: 'not_assessed' },
  {
    ...{ id: 'E12', what: 'too few others', status: 'not_assessed' },
    facts: { ...steps('place').facts, peers: peers(7) },
  },
  {
    ...{ id: 'E09', what: 'another start', messages: take({ start: -0.9 }), status: 'fail' },
    facts: { info: info('pick'), peers: peers(10) },
  },
  {
    id: 'E09',
    what: 'the usual start',
    messages: take({}),
    facts: { info: info('pick'), peers: peers(10) },
    status: 'pass',
  },
  {
    id: 'E09',
    what: 'too few others',
    messages: take({}),
    facts: { peers: peers(3) },
    status: 'not_assessed',
  },
  ...(
    [
      ['at home', 0, 'pass'],
      ['as near as arms are brought home', 0.1, 'pass'],
      ['beyond that', 0.2, 'warn'],
    ] as const
  ).map(([what, off, status]): Row => {
    return {
      id: 'E09',
      what: `the first take, ${what}`,
      messages: take({ start: -1 + off }),
      calibration,
      status,
    };
  }),
  { id: 'E11', what: 'no marks', status: 'not_assessed' },
  { id: 'E11', what: 'a take-over', facts: { labels: labels(mark('intervention', 2, 4)) }, status: 'info' },
];

describe('EPISODE_CHECKS', () => {
  it.each(ROWS)(
    '$id says $status of $what',
    async ({ id, messages = take({}), endSecs, facts, events, calibration: rig, status, place }) => {
      const checks = EPISODE_CHECKS.filter((check) => check.id === id);
      const end = endSecs ?? 10;
      const shown = messages.filter(({ log }) => log < end);
      const [finding, ...more] = await examine(shown, {
        ...{ checks, endSecs: end },
        ...(facts && { facts }),
        ...(events && { events }),
        ...(rig && { calibration: rig }),
      });
      expect(more).toEqual([]);
      expect(finding).toMatchObject({ check: id, status });
      if (place !== undefined) expect(placeOf(finding!)).toBeCloseTo(place, 0);
    },
  );

  it.each([
    ['a gripper that holds a cup', { aperture: 0.04, command: 0 }, 'gripper'],
    ['a gripper that is closed on nothing', { aperture: 0, command: -0.02 }, undefined],
    ['a gripper nearly where it is told to be', { aperture: 0.041, command: 0.04 }, undefined],
    ['an open gripper', { aperture: 0.08, command: 0.08 }, undefined],
  ])('E09 looks at the hand at the start: %s', async (_, { aperture, command }, channel) => {
    const messages = cleanTake({ streams: ['joints', 'commands'] }).map((each) => {
      const isBefore = each.stamp < 1;
      const [state, told] = isBefore ? [aperture, command] : [0.08, 0.08];
      const position = [...(each.value.position as number[]), each.stream === 'joints' ? state : told];
      return { ...each, value: { ...each.value, name: ['a', 'b', 'gripper'], position } };
    });
    const checks = EPISODE_CHECKS.filter(({ id }) => id === 'E09');
    const found = (await examine(messages, { checks })).filter(({ status }) => status !== 'not_assessed');
    expect(found.map(({ channel, status }) => ({ channel, status }))).toEqual(
      channel === undefined ? [] : [{ channel, status: 'warn' }],
    );
  });

  it('E07 fails where the contract says that the instruction is read', async () => {
    const checks = EPISODE_CHECKS.filter(({ id }) => id === 'E07');
    const statusOf = async (task: string) => {
      return (
        await examine(take({}), { checks, facts: { info: info(task) }, limits: { E07: { fail: 0 } } })
      )[0]!.status;
    };
    expect(await statusOf('tbd')).toBe('fail');
    expect(await statusOf('put the cup on the plate')).toBe('pass');
  });

  it('E11 gives the share of the time', async () => {
    const checks = EPISODE_CHECKS.filter(({ id }) => id === 'E11');
    const facts = { labels: labels(mark('intervention', 2, 4), mark('grasp', 5, 9)) };
    const [finding] = await examine(take({}), { checks, facts });
    expect(finding!.value).toBeCloseTo(0.2, 3);
  });

  it.each([
    ['an emergency stop in two messages', [0, 2, 2], { status: 'fail', value: 2 }],
    ['warnings', [0, 1, 1], { status: 'pass', value: 0 }],
    ['a driver that fell silent', [0, 0, 3], { status: 'fail', value: 1 }],
  ])('E10 judges %s', (_, levels, expected) => {
    const type = 'diagnostic_msgs/msg/DiagnosticArray';
    const stream = {
      name: 'diagnostics',
      topic: '/diagnostics',
      type,
      role: 'context' as const,
      contract: undefined,
    };
    const told = levels.map((level, i) => ({
      ...observation('joints', i + 1, {
        value: { status: [{ level, name: 'arm', message: 'emergency stop' }] },
      }),
      stream,
    }));
    const [finding] = judge(
      EPISODE_CHECKS.filter(({ id }) => id === 'E10'),
      told,
    );
    expect(finding).toMatchObject(expected);
    if (expected.status === 'pass') return;
    expect(finding!.stream).toBe('diagnostics');
    expect(placeOf(finding!)).toBe(1 + levels.findIndex((level) => level >= 2));
  });
});
