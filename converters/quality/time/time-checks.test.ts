import { describe, expect, it } from 'vitest';
import { secsToNanos } from '../../../schemas/time.ts';
import { EPOCH } from '../../episode.fixture.ts';
import { CONTAINER_CHECKS } from '../container/container-checks.ts';
import {
  cleanTake,
  examine,
  inOrder,
  placeOf,
  type RigMessage,
  type RigStream,
  random,
} from '../rig.fixture.ts';
import { TIME_CHECKS } from './time-checks.ts';

const SEEDS = Array.from({ length: 4 }, (_, i) => i + 1);
/** Where faults are planted, seconds. */
const AT = 4;

/** What a defect of some strength makes of a clean take. */
type Injector = (clean: readonly RigMessage[], strength: number, seed: number) => readonly RigMessage[];

const of = (stream: RigStream, change: (message: RigMessage, index: number) => RigMessage): Injector => {
  return (clean) => {
    let index = 0;
    return inOrder(clean.map((message) => (message.stream === stream ? change(message, index++) : message)));
  };
};
const drop =
  (stream: RigStream): Injector =>
  (clean, secs) =>
    clean.filter((each) => each.stream !== stream || each.stamp < AT || each.stamp >= AT + secs);

interface Row {
  readonly id: string;
  readonly stream?: RigStream;
  readonly channel?: string;
  readonly inject: Injector;
  /** Strength at which the check begins to fail. */
  readonly threshold: number;
  /** When it must point at it, seconds; absent where it speaks of the whole take. */
  readonly at?: number;
  readonly durationSecs?: number;
  /** Which streams the row needs. @default its own */
  readonly streams?: readonly RigStream[];
  readonly status?: 'fail' | 'warn' | 'info';
}

const ROWS: readonly Row[] = [
  {
    ...{ id: 'T01', stream: 'joints', channel: 'header.stamp', threshold: 1, at: AT },
    inject: (clean, messages) =>
      of('joints', (each, i) =>
        i >= 400 && i < 400 + Math.floor(messages) * 2 && i % 2 === 0 ? back(each, 0.015) : each,
      )(clean, 0, 0),
  },
  {
    ...{ id: 'T02', stream: 'wrench', channel: 'header.stamp', threshold: 0.01 },
    inject: (clean, share, seed) => {
      const next = random(seed);
      let last = 0;
      return of('wrench', (each) => {
        const stamp = next() < share ? last : each.stamp;
        last = stamp;
        return { ...each, stamp };
      })(clean, share, seed);
    },
  },
  {
    ...{ id: 'T03', stream: 'left', threshold: 1, at: AT },
    inject: (clean, messages) =>
      of('left', (each, i) =>
        i >= 120 && i < 120 + Math.floor(messages) ? { ...each, stamp: -1.7e9 } : each,
      )(clean, 0, 0),
  },
  {
    ...{ id: 'T04', stream: 'left', threshold: 0.25 },
    inject: (clean, off) =>
      of('left', (each) => stretched(each, 1 / (1 - off)))(clean, 0, 0).filter(({ log }) => log < 10),
  },
  {
    ...{ id: 'T05', stream: 'joints', threshold: 0.5 },
    // Evenly spread by ± j periods each, a difference exceeds 0.776 · 2j in 5 % of cases.
    inject: (clean, periods, seed) => {
      const next = random(seed);
      const reach = periods / 1.55 / 100;
      return of('joints', (each) => ({ ...each, stamp: each.stamp + reach * (2 * next() - 1) }))(clean, 0, 0);
    },
  },
  {
    ...{ id: 'T06', stream: 'wrench', threshold: 0.05 },
    inject: (clean, share, seed) => {
      const next = random(seed);
      return clean.filter((each) => each.stream !== 'wrench' || next() >= share);
    },
  },
  { ...{ id: 'T07', stream: 'wrench', threshold: 0.25, at: AT }, inject: drop('wrench') },
  {
    ...{ id: 'T08', stream: 'joints', threshold: 0.5 },
    inject: (clean, secs) => clean.filter((each) => each.stream !== 'joints' || each.log < 10 - secs),
  },
  {
    ...{ id: 'T09', stream: 'joints', threshold: 200, durationSecs: 30 },
    inject: (clean, ppm) =>
      of('joints', (each) => ({ ...each, stamp: each.stamp * (1 + ppm * 1e-6) }))(clean, 0, 0),
  },
  {
    ...{ id: 'T10', stream: 'left', threshold: 0.1, at: AT },
    inject: (clean, secs) =>
      of('left', (each) => (each.stamp >= AT ? { ...each, stamp: each.stamp + secs } : each))(clean, 0, 0),
  },
  {
    ...{ id: 'T11', stream: 'right', threshold: 0.1 },
    // One message in ten waits: the p95 is among them.
    inject: (clean, secs) =>
      of('right', (each, i) => (i % 10 === 0 ? { ...each, log: each.log + secs } : each))(clean, 0, 0),
  },
  {
    ...{ id: 'T13', threshold: 0.5, status: 'warn', streams: ['left', 'right'] },
    // Triggered together, but every other picture of one camera is lost: half of the sets are a period apart.
    inject: (clean, periods) => {
      const left = clean.filter(({ stream }) => stream === 'left');
      const right = left.flatMap((each, i): RigMessage[] =>
        i % 3 === 0 ? [{ ...each, stream: 'right', stamp: each.stamp + (periods > 0.5 ? 1 : 0) / 30 }] : [],
      );
      const reference = periods > 0.5 ? left.filter((_, i) => i % 3 === 0) : left;
      return inOrder([...reference, ...right]);
    },
  },
  {
    ...{ id: 'T14', stream: 'joints', threshold: 1, status: 'info' },
    inject: (clean, strength) =>
      strength < 1
        ? clean
        : of('joints', (each, i) => ({ ...each, stamp: i / 100, log: i / 100 }))(clean, 0, 0),
  },
  {
    ...{ id: 'T16', stream: 'commands', threshold: 0.05 },
    inject: (clean, share, seed) => {
      const next = random(seed);
      let behind = 0;
      return of('commands', (each) => {
        if (next() < share) behind += 0.016;
        return { ...each, stamp: each.stamp + behind, log: each.log + behind };
      })(clean, 0, 0);
    },
  },
];

describe('TIME_CHECKS', () => {
  it('a clean take passes every check, by any seed', async () => {
    for (const seed of SEEDS) {
      const findings = await examine(cleanTake({ seed }), { checks: TIME_CHECKS });
      const wrong = findings.filter(({ status }) => status === 'fail' || status === 'warn');
      expect(wrong.map(({ id, reason }) => `${seed} ${id}: ${reason}`)).toEqual([]);
    }
  });

  it.each(ROWS)('$id fails at twice its threshold, at the right stream and time', async (row) => {
    const found = await Promise.all(SEEDS.map((seed) => verdictAt(row, 2 * row.threshold, seed)));
    const hits = found.filter((each) => each.status === (row.status ?? 'fail'));
    expect(hits.length / SEEDS.length).toBeGreaterThanOrEqual(0.95);
    if (row.at !== undefined) for (const each of hits) expect(placeOf(each)).toBeCloseTo(row.at, 0);
  });

  it.each(ROWS)('$id does not fail at half its threshold', async (row) => {
    const found = await Promise.all(SEEDS.map((seed) => verdictAt(row, row.threshold / 2, seed)));
    expect(found.filter(({ status }) => status === (row.status ?? 'fail'))).toEqual([]);
  });

  it.each(ROWS)('$id leaves the other streams alone', async (row) => {
    const { inject, threshold, streams = ['joints', 'commands', 'wrench', 'left', 'right'] } = row;
    const messages = inject(cleanTake({ streams }), 2 * threshold, 1);
    const checks = TIME_CHECKS.filter(({ id }) => id === row.id);
    const findings = await examine(messages, { checks });
    const others = findings.filter((each) => each.stream !== undefined && each.stream !== row.stream);
    expect(others.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([]);
  });

  it('T07 tells of a dead stream while it is silent, and of none before', async () => {
    const checks = TIME_CHECKS.filter(({ id }) => id === 'T07');
    const told: number[] = [];
    const messages = drop('joints')(cleanTake({ streams: ['joints', 'wrench'] }), 20, 1);
    const at = (secs: number, findings: Awaited<ReturnType<typeof examine>>) => {
      if (findings.some(({ stream, status }) => stream === 'joints' && status === 'fail')) told.push(secs);
    };
    await examine(messages, { checks, look: { everySecs: 0.25, at } });
    expect(told[0]).toBeGreaterThan(AT);
    expect(told[0]).toBeLessThan(AT + 2);
  });

  it('what is missing within a marked pause is no defect, what is missing beside it is', async () => {
    const checks = [...TIME_CHECKS, ...CONTAINER_CHECKS].filter(({ id }) => /^(T0[67]|C0[47])$/.test(id));
    const missing = drop('wrench')(cleanTake({ streams: ['wrench'] }), 1, 1);
    const judged = async (from: number, to: number) => {
      const at = (secs: number) => EPOCH + secsToNanos(secs);
      const events = [
        { event: 'pause', by: 'p1', logTime: at(from) },
        { event: 'resume', by: 'p1', logTime: at(to) },
      ] as const;
      let live: readonly string[] = [];
      const look = {
        everySecs: 0.5,
        at: (_: number, found: Awaited<ReturnType<typeof examine>>) => {
          live = found.flatMap(({ check, status }) => (status === 'fail' ? [check] : []));
        },
      };
      const findings = await examine(missing, { checks, events, look });
      return { live, statuses: Object.fromEntries(findings.map(({ check, status }) => [check, status])) };
    };
    expect(await judged(AT - 0.2, AT + 1.2)).toEqual({
      live: [],
      statuses: { C04: 'pass', C07: 'info', T06: 'pass', T07: 'pass' },
    });
    const beside = await judged(AT + 0.5, AT + 3);
    expect(beside.live).toEqual(['T06', 'T07']);
    expect(beside.statuses).toMatchObject({ T06: 'fail', T07: 'fail' });
  });

  it('T06 takes messages that come late and bunched for no losses, and tells of losses beside them', async () => {
    const checks = TIME_CHECKS.filter(({ id }) => id === 'T06');
    const clean = cleanTake({ streams: ['wrench'] });
    // Every fifth message is held up until the next one comes, its stamp too.
    const late = of('wrench', (each, i) => {
      const next = i % 5 === 0 ? clean[i + 1] : undefined;
      return next ? { ...each, stamp: next.stamp - 1e-4, log: next.log - 1e-4 } : each;
    })(clean, 0, 0);
    expect((await examine(late, { checks })).map(({ status }) => status)).toEqual(['pass']);
    const lost = late.filter((_, i) => i % 10 !== 7);
    expect(await examine(lost, { checks })).toMatchObject([
      { status: 'fail', value: expect.closeTo(0.1, 1) },
    ]);
  });

  it('T10 tells of no step when the transport holds messages up for a second', async () => {
    const checks = TIME_CHECKS.filter(({ id }) => id === 'T10');
    const held = of('left', (each) =>
      each.stamp >= AT && each.stamp < AT + 3 ? { ...each, log: each.log + 0.4 } : each,
    );
    const findings = await examine(held(cleanTake({ streams: ['left'] }), 0, 0), { checks });
    expect(findings.map(({ status }) => status)).toEqual(['pass']);
  });

  it('T09 is not assessed below twenty seconds', async () => {
    const checks = TIME_CHECKS.filter(({ id }) => id === 'T09');
    const findings = await examine(cleanTake({ streams: ['joints'] }), { checks });
    expect(findings.map(({ status }) => status)).toEqual(['not_assessed']);
  });

  it('T14 takes back what others say of times that were made up', async () => {
    const made = ROWS.find(({ id }) => id === 'T14')!.inject(cleanTake({ streams: ['joints'] }), 1, 1);
    const findings = await examine(made, { checks: TIME_CHECKS });
    const jitter = findings.find(({ check }) => check === 'T05');
    expect(jitter).toMatchObject({
      status: 'not_assessed',
      reason: expect.stringContaining('made of the rate'),
    });
  });
});

async function verdictAt(
  { id, stream, channel, inject, streams, durationSecs = 10 }: Row,
  strength: number,
  seed: number,
) {
  const clean = cleanTake({ seed, durationSecs, streams: streams ?? [stream!] });
  const checks = TIME_CHECKS.filter((check) => check.id === id);
  const findings = await examine(inject(clean, strength, seed), { checks, endSecs: durationSecs });
  const own = findings.filter((each) => each.stream === stream && (!channel || each.channel === channel));
  expect(own).toHaveLength(1);
  return own[0]!;
}

function back(message: RigMessage, secs: number): RigMessage {
  return { ...message, stamp: message.stamp - secs };
}

function stretched(message: RigMessage, factor: number): RigMessage {
  return { ...message, stamp: message.stamp * factor, log: message.log * factor };
}
