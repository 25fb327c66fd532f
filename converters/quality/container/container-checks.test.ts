import { describe, expect, it } from 'vitest';
import { currentLabels } from '../../../schemas/labels.ts';
import { EPOCH } from '../../episode.fixture.ts';
import { judge, observation } from '../arm.fixture.ts';
import type { EpisodeFacts } from '../episode-facts.ts';
import {
  cleanTake,
  type ExamineOptions,
  examine,
  placeOf,
  RIG,
  type RigMessage,
  SOUND_FILE,
} from '../rig.fixture.ts';
import { CONTAINER_CHECKS } from './container-checks.ts';

type Messages = readonly RigMessage[];

const ledgerOf = (messages: number): EpisodeFacts['ledger'] => ({
  totals: [],
  losses: [
    {
      topic: '/wrench',
      cause: 'queue-full',
      messages,
      startTime: EPOCH + 4_000_000_000n,
      endTime: EPOCH + 5_000_000_000n,
    },
  ],
});
const at = (from: number, count: number, change: (message: RigMessage) => RigMessage, stream = 'joints') => {
  let index = 0;
  return (each: RigMessage) => {
    if (each.stream !== stream) return each;
    const here = index++;
    return here >= from && here < from + count ? change(each) : each;
  };
};
const withPosition =
  (position: readonly number[], name = ['a', 'b']) =>
  (each: RigMessage) => ({
    ...each,
    value: { name, position, velocity: [], effort: [] },
  });
const none = Number.NaN;

const K = [610, 0, 320, 0, 612, 240, 0, 0, 1];

interface Row {
  readonly id: string;
  readonly what: string;
  readonly finding: string;
  readonly inject?: (clean: Messages) => Messages;
  readonly facts?: Partial<EpisodeFacts>;
  readonly status: string;
  /** Where it must point at, seconds. */
  readonly place?: number;
}

const damaged: Partial<EpisodeFacts> = { damages: ['chunk does not match its CRC at byte 4096'] };
const info = { robot: 'rig', task: 'pick up the cup', scene: 'table' } as EpisodeFacts['info'];

const ROWS: readonly Row[] = [
  { id: 'C01', what: 'a damaged place', finding: 'C01', facts: damaged, status: 'fail' },
  {
    id: 'C02',
    what: 'a silent stream',
    finding: 'C02/wrench',
    inject: without('wrench'),
    status: 'fail',
    place: 0,
  },
  { id: 'C04', what: '12 % missing', finding: 'C04/joints', inject: share('joints', 0.88), status: 'fail' },
  { id: 'C04', what: '8 % missing', finding: 'C04/joints', inject: share('joints', 0.92), status: 'warn' },
  { id: 'C04', what: '4 % missing', finding: 'C04/joints', inject: share('joints', 0.96), status: 'pass' },
  {
    id: 'C06',
    what: '1 % refused',
    finding: 'C06/wrench',
    facts: { ledger: ledgerOf(20) },
    status: 'fail',
    place: 4,
  },
  {
    id: 'C06',
    what: 'one refused',
    finding: 'C06/wrench',
    facts: { ledger: ledgerOf(1) },
    status: 'warn',
    place: 4,
  },
  { id: 'C06', what: 'no account', finding: 'C06', facts: { ledger: undefined }, status: 'not_assessed' },
  {
    ...{ id: 'C07', what: 'a gap of the recorder', finding: 'C07/wrench', status: 'info', place: 4 },
    inject: (clean) => clean.filter(({ stream, log }) => stream !== 'wrench' || log < 4 || log > 4.8),
    facts: { ledger: ledgerOf(160) },
  },
  {
    ...{
      id: 'C08',
      what: '10 % of states are NaN',
      finding: 'C08/joints/position',
      status: 'fail',
      place: 4,
    },
    inject: (clean) => clean.map(at(400, 100, withPosition([none, 0]))),
  },
  {
    ...{
      id: 'C08',
      what: '2.5 % of states are NaN',
      finding: 'C08/joints/position',
      status: 'warn',
      place: 4,
    },
    inject: (clean) => clean.map(at(400, 25, withPosition([0, Number.POSITIVE_INFINITY]))),
  },
  {
    ...{ id: 'C08', what: '0.2 % of states are NaN', finding: 'C08/joints/position', status: 'pass' },
    inject: (clean) => clean.map(at(400, 2, withPosition([none, 0]))),
  },
  {
    ...{ id: 'C08', what: 'one command is NaN', finding: 'C08/commands/position', status: 'fail', place: 4 },
    inject: (clean) => clean.map(at(200, 1, withPosition([none, 0]), 'commands')),
  },
  {
    ...{
      id: 'C08',
      what: 'a field that no feature uses is NaN',
      finding: 'C08/joints/effort',
      status: 'info',
    },
    inject: (clean) =>
      clean.map(at(400, 100, (each) => ({ ...each, value: { ...each.value, effort: [none, 0] } }))),
  },
  {
    ...{ id: 'C09', what: 'other names', finding: 'C09/joints', status: 'fail', place: 4 },
    inject: (clean) => clean.map(at(400, 5, withPosition([0, 0], ['a', 'c']))),
  },
  {
    ...{ id: 'C09', what: 'more joints', finding: 'C09/joints', status: 'fail', place: 4 },
    inject: (clean) => clean.map(at(400, 1, withPosition([0, 0, 0], ['a', 'b', 'c']))),
  },
  {
    ...{ id: 'C09', what: 'another order', finding: 'C09/joints', status: 'pass' },
    inject: (clean) => clean.map(at(400, 5, withPosition([0, 0], ['b', 'a']))),
  },
  { id: 'C10', what: 'nothing but messages', finding: 'C10', status: 'info' },
  {
    ...{ id: 'C10', what: 'all six parts', finding: 'C10', status: 'pass' },
    facts: {
      info,
      labels: currentLabels([
        { id: '1', author: 'p1', time: '2026-01-01T00:00:00Z', label: { kind: 'outcome', value: 'success' } },
      ]),
    },
  },
  { id: 'C13', what: 'declared semantics', finding: 'C13/action', status: 'pass' },
];

describe('CONTAINER_CHECKS', () => {
  it.each(ROWS)(
    '$id says $status of $what, at the right place',
    async ({ id, finding, inject = (clean) => clean, facts, status, place }) => {
      const found = await findingsOf(id, inject(cleanTake()), facts && { facts });
      const own = found.find((each) => each.id === finding);
      expect(own?.status).toBe(status);
      if (place !== undefined) expect(placeOf(own!)).toBeCloseTo(place, 1);
      const others = found.filter(
        (each) => each.id !== finding && (each.status === 'fail' || each.status === 'warn'),
      );
      expect(others).toEqual([]);
    },
  );

  it('a clean take of a clean file passes every check', async () => {
    const findings = await examine(cleanTake({ seed: 7 }), { checks: CONTAINER_CHECKS });
    expect(findings.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([]);
  });

  it('C02 tells of a silent stream while recording, but not in the first two seconds', async () => {
    const told: number[] = [];
    const look = {
      everySecs: 0.5,
      at: (secs: number, findings: Awaited<ReturnType<typeof examine>>) => {
        if (findings.some(({ status }) => status === 'fail')) told.push(secs);
      },
    };
    await findingsOf('C02', without('wrench')(cleanTake()), { look });
    expect(told[0]).toBe(2);
  });

  it('C05 counts holes in the numbers of a publisher, and none where numbers repeat', async () => {
    const [hole] = await findingsOf(
      'C05',
      cleanTake({ streams: ['joints'] }).map(numbered((i) => (i < 500 ? i : i + 20))),
    );
    expect(hole).toMatchObject({ status: 'fail', stream: 'joints', evidence: { lost: 20 } });
    const [constant] = await findingsOf('C05', cleanTake({ streams: ['joints'] }).map(numbered(() => 0)));
    expect(constant).toMatchObject({ status: 'not_assessed' });
  });

  it.each([
    ['an empty matrix', [0, 0, 0, 0, 0, 0, 0, 0, 0], 'fail'],
    ['the identity', [1, 0, 0, 0, 1, 0, 0, 0, 1], 'fail'],
    ['a camera of which nobody knows where it stands', K, 'info'],
  ])('C11 judges %s', (_, k, status) => {
    const type = 'sensor_msgs/msg/CameraInfo';
    const stream = {
      name: 'front_info',
      topic: '/front/info',
      type,
      role: 'context' as const,
      contract: undefined,
    };
    const told = { ...observation('joints', 1, { value: { k: Float64Array.from(k) } }), stream };
    const checks = CONTAINER_CHECKS.filter(({ id }) => id === 'C11');
    expect(judge(checks, [told])).toMatchObject([{ id: 'C11/front_info', status }]);
  });

  it.each([
    [
      'measured',
      [
        [0.5, 0, 0.4],
        [0.5, -0.5, 0.5, -0.5],
      ],
      'pass',
    ],
    [
      'turned only',
      [
        [0, 0, 0],
        [0, 0, 1, 0],
      ],
      'pass',
    ],
    [
      'left at the root',
      [
        [0, 0, 0],
        [0, 0, 0, 1],
      ],
      'fail',
    ],
    [
      'placed by a rotation that was never set',
      [
        [0.5, 0, 0.4],
        [0, 0, 0, 0],
      ],
      'fail',
    ],
  ] as const)('C11 judges a camera whose place is %s', (_, [at, turn], status) => {
    const checks = CONTAINER_CHECKS.filter(({ id }) => id === 'C11');
    const info = {
      ...observation('info', 1, { value: { header: { frame_id: 'optical' }, k: Float64Array.from(K) } }),
    };
    const moving = [0, 0.1].map((x, i) => observation('tf', i, { value: placed('base', 'tool', [x, 0, 0]) }));
    const still = [
      observation('tf', 0, { value: placed('base', 'camera', at, turn) }),
      observation('tf', 0, { value: placed('camera', 'optical', [0, 0, 0]) }),
    ];
    expect(judge(checks, [...moving, ...still, info])).toMatchObject([{ id: 'C11/info', status }]);
    // Where nothing moves there is no robot that it could be placed by.
    const alone = judge(checks, [moving[0]!, ...still, info])[0]!;
    expect(alone.status).toBe(turn.some((value) => value !== 0) ? 'info' : 'fail');
    expect(alone.evidence.calibrationAgeDays).toBeTypeOf('number');
  });

  it('C11 takes a camera on the arm for placed', () => {
    const checks = CONTAINER_CHECKS.filter(({ id }) => id === 'C11');
    const info = observation('info', 1, { value: { header: { frame_id: 'tool' }, k: Float64Array.from(K) } });
    const moving = [0, 0.1].map((x, i) => observation('tf', i, { value: placed('base', 'tool', [x, 0, 0]) }));
    expect(judge(checks, [...moving, info])).toMatchObject([{ status: 'pass' }]);
  });

  it.each([
    ['ee_abs', '', 'info'],
    ['ee_abs', 'base_link', 'pass'],
    ['abs_pos', '', 'pass'],
  ] as const)('C13 asks of "%s" in frame "%s" where it is said', (actionSpace, frame, status) => {
    const action = { ...RIG.features.action!, actionSpace } as (typeof RIG.features)[string];
    const contract = { ...RIG, features: { ...RIG.features, action } };
    const subject = {
      ...{ contract, calibration: undefined, startTime: EPOCH, streams: [], events: [], task: undefined },
    };
    const watch = CONTAINER_CHECKS.find(({ id }) => id === 'C13')!.watch(subject);
    const commands = observation('commands', 0, { value: { header: { frame_id: frame } } });
    expect(watch.wants!(commands.stream)).toBe(true);
    watch.observe!(commands);
    expect([...watch.findings(EPOCH, SOUND_FILE)]).toMatchObject([{ status, channel: 'action' }]);
  });

  it('C13 tells of an action whose stream has no rate', () => {
    const { rateHz: _, ...commands } = RIG.streams.commands!;
    const contract = { ...RIG, streams: { ...RIG.streams, commands } };
    const subject = {
      ...{ contract, calibration: undefined, startTime: EPOCH, streams: [], events: [], task: undefined },
    };
    const check = CONTAINER_CHECKS.find(({ id }) => id === 'C13')!;
    expect([...check.watch(subject).findings(EPOCH, SOUND_FILE)]).toMatchObject([
      { status: 'info', reason: 'it has no rateHz' },
    ]);
  });

  it.each([
    ['no action space', { actionSpace: undefined }, 'it has no actionSpace'],
    ['no unit', { unit: undefined }, 'it has no unit'],
  ])('C13 tells of an action with %s', (_, lacking, reason) => {
    const action = { ...RIG.features.action!, ...lacking } as (typeof RIG.features)[string];
    const contract = { ...RIG, features: { ...RIG.features, action } };
    const subject = {
      contract,
      calibration: undefined,
      startTime: EPOCH,
      streams: [],
      events: [],
      task: undefined,
    };
    const check = CONTAINER_CHECKS.find(({ id }) => id === 'C13')!;
    const told = [...check.watch(subject).findings(EPOCH, SOUND_FILE)];
    expect(told).toMatchObject([{ status: 'info', channel: 'action', reason }]);
  });
});

function placed(
  parent: string,
  child: string,
  [x, y, z]: readonly [number, number, number],
  [qx, qy, qz, qw]: readonly [number, number, number, number] = [0, 0, 0, 1],
) {
  const transform = { translation: { x, y, z }, rotation: { x: qx, y: qy, z: qz, w: qw } };
  return { transforms: [{ header: { frame_id: parent }, child_frame_id: child, transform }] };
}

function findingsOf(id: string, messages: Messages, options: Omit<ExamineOptions, 'checks'> = {}) {
  return examine(messages, { checks: CONTAINER_CHECKS.filter((check) => check.id === id), ...options });
}

function without(stream: string): (clean: Messages) => Messages {
  return (clean) => clean.filter((each) => each.stream !== stream);
}

/** Every stream thinned evenly. */
function share(stream: string, kept: number): (clean: Messages) => Messages {
  return (clean) => {
    let sum = 0;
    return clean.filter((each) => {
      if (each.stream !== stream) return true;
      sum += kept;
      if (sum < 1) return false;
      sum -= 1;
      return true;
    });
  };
}

function numbered(sequenceOf: (index: number) => number): (message: RigMessage, index: number) => RigMessage {
  return (message, index) => ({ ...message, sequence: sequenceOf(index) });
}
