import { describe, expect, it } from 'vitest';
import type { Stream } from '../schemas/contract.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import { nanosToStamp, secsToNanos } from '../schemas/time.ts';
import { StreamMonitor } from './stream-monitor.ts';

const schema = {
  name: 'test_msgs/msg/Stamped',
  encoding: 'ros2msg',
  data: new TextEncoder().encode(
    [
      'std_msgs/Header header',
      '='.repeat(80),
      'MSG: std_msgs/Header',
      'builtin_interfaces/Time stamp',
      'string frame_id',
      '='.repeat(80),
      'MSG: builtin_interfaces/Time',
      'int32 sec',
      'uint32 nanosec',
    ].join('\n'),
  ),
};
const channel: ChannelSpec = { topic: '/a', messageEncoding: 'cdr', schema, metadata: new Map() };
const encode = createEncoder('/a', schema);
const stream: Stream = {
  topic: '/a',
  role: 'motion',
  type: 'test_msgs/msg/Stamped',
  rateHz: 100,
  maxGapSecs: 0.05,
  required: true,
  toleratedLoss: 0,
};
const START = secsToNanos(1_700_000_000);
const at = (secs: number) => START + secsToNanos(secs);

const stamped = (sensorSecs: number) => ({ header: { stamp: nanosToStamp(at(sensorSecs)), frame_id: '' } });

/** A monitor that saw messages with these [log, sensor] times in seconds since the start of the take. */
function monitorOf(times: readonly (readonly [number, number])[], settings: Partial<Stream> = {}) {
  const monitor = new StreamMonitor(channel, ['a', { ...stream, ...settings }], START);
  for (const [log, sensor] of times) {
    monitor.arrived(at(log), encode(stamped(sensor)));
  }
  return monitor;
}

const steady = (from: number, to: number, sensorShift = -0.002) =>
  Array.from({ length: Math.round((to - from) * 100) }, (_, i) => {
    const log = from + i / 100;
    return [log, log + sensorShift] as const;
  });

/** From 2 s on: the same stamp again and again; stamps a second ahead; transport that takes longer and longer. */
const standing = steady(0, 3).map(([log, sensor]) => [log, Math.min(sensor, 2)] as const);
const setForward = steady(0, 3).map(([log, sensor]) => [log, sensor + (log > 2 ? 1 : 0)] as const);
const piledUp = steady(0, 5).map(([log, sensor]) => [log + Math.max(0, log - 2) * 0.25, sensor] as const);

describe('StreamMonitor of a stream that lost its publisher', () => {
  it('counts nothing of a latched stream, whose message stays valid', () => {
    const metadata = new Map([['offered_qos_profiles', '- durability: transient_local']]);
    const latched = new StreamMonitor(
      { ...channel, metadata },
      ['a', { ...stream, rateHz: undefined, maxGapSecs: undefined }],
      START,
    );
    latched.offered(false, at(1));
    expect(latched.status(at(2)).trouble).toBeUndefined();
    latched.ended(at(5));
    expect(latched.losses).toEqual([]);
  });

  it('gives the gap that followed its cause, once', () => {
    const monitor = monitorOf(steady(0, 1));
    monitor.offered(false, at(1.5));
    monitor.offered(false, at(2.5));
    for (const [log] of steady(4, 5)) monitor.arrived(at(log), encode(stamped(log)));
    monitor.offered(true, at(5));
    monitor.ended(at(5));
    expect(monitor.losses).toEqual([
      expect.objectContaining({ cause: 'publisher-gone', messages: expect.closeTo(300, -1), endTime: at(4) }),
    ]);
  });

  it('gives an early end its cause', () => {
    const monitor = monitorOf(steady(0, 1));
    monitor.offered(false, at(1.5));
    monitor.ended(at(3));
    expect(monitor.losses).toEqual([
      expect.objectContaining({ cause: 'publisher-gone', messages: expect.closeTo(200, -1), endTime: at(3) }),
    ]);
  });

  it("knows of a gap after the publisher was back that it is the stream's own", () => {
    const monitor = monitorOf(steady(0, 1));
    monitor.offered(false, at(1.01));
    monitor.offered(true, at(1.02));
    for (const [log] of [...steady(1.03, 2), ...steady(3, 4)]) monitor.arrived(at(log), encode(stamped(log)));
    monitor.ended(at(4));
    expect(monitor.losses.map(({ cause }) => cause)).toEqual(['gap']);
  });

  it.each([
    [{ rateHz: undefined, maxGapSecs: undefined }, ['publisher-gone']],
    [{ rateHz: undefined, maxGapSecs: undefined, required: false }, []],
  ])('with %j loses the span without a number', (settings, causes) => {
    const monitor = monitorOf([[0, 0]], settings);
    monitor.offered(false, at(1));
    monitor.offered(true, at(3));
    monitor.ended(at(5));
    expect(monitor.losses.map(({ cause, messages }) => [cause, messages])).toEqual(
      causes.map((cause) => [cause, null]),
    );
  });
});

describe('StreamMonitor', () => {
  it('finds no loss in a steady stream', () => {
    const monitor = monitorOf(steady(0, 3));
    monitor.ended(at(3));
    expect(monitor.losses).toEqual([]);
    expect(monitor.received).toBe(300);
  });

  it('infers the number lost from a jump of the sensor times', () => {
    const monitor = monitorOf([...steady(0, 1), ...steady(1.2, 2)]);
    expect(monitor.losses).toEqual([
      { topic: '/a', cause: 'gap', messages: 20, startTime: at(0.99) + 1n, endTime: at(1.2) },
    ]);
  });

  it('counts a gap whose messages arrive in one burst after a stall', () => {
    // Sensor times 1.00-1.19 are missing; everything from 1.20 on arrives late at 1.5 s at once.
    const burst = Array.from({ length: 30 }, (_, i) => [1.5 + i / 1e5, 1.2 + i / 100] as const);
    const [loss, ...others] = monitorOf([...steady(0, 1), ...burst]).losses;
    expect(loss).toMatchObject({ cause: 'gap', messages: 20 });
    expect(others).toEqual([]);
  });

  it('takes messages that a hiccup of the publisher bunched for late, not for lost', () => {
    // A timer that should have fired 30 times from 1.0 s on, fires 30 times at 1.3 s.
    const bunch = Array.from({ length: 30 }, (_, i) => [1.3 + i / 1e4, 1.298 + i / 1e4] as const);
    expect(monitorOf([...steady(0, 1), ...bunch, ...steady(1.31, 3)]).losses).toEqual([]);
  });

  it('counts what is missing of a bunch', () => {
    const bunch = Array.from({ length: 10 }, (_, i) => [1.3 + i / 1e4, 1.298 + i / 1e4] as const);
    const [loss, ...others] = monitorOf([...steady(0, 1), ...bunch, ...steady(1.31, 3)]).losses;
    expect(loss).toMatchObject({ cause: 'gap', messages: 21, endTime: at(1.3) }); // one in a hundred is rounding
    expect(others).toEqual([]);
  });

  it('takes a forward step of the sensor clock for what it is, not for a loss', () => {
    expect(monitorOf([...steady(0, 1), ...steady(1, 2, 4.998)]).losses).toEqual([]);
  });

  it('still finds losses after a step of the sensor clock', () => {
    const monitor = monitorOf([...steady(0, 1), ...steady(1, 2, 4.998), ...steady(2.3, 3, 4.998)]);
    expect(monitor.losses).toMatchObject([{ cause: 'gap', messages: 30 }]);
  });

  it('reports a late start and an early end', () => {
    const monitor = monitorOf(steady(0.5, 2));
    monitor.ended(at(3));
    expect(monitor.losses).toMatchObject([
      { cause: 'late-start', messages: 50, startTime: START, endTime: at(0.5) },
      { cause: 'early-end', messages: 101, endTime: at(3) },
    ]);
  });

  it('gathers refusals of one burst into one entry', () => {
    const monitor = monitorOf([]);
    for (const log of [0, 0.01, 0.02, 2]) monitor.refused(at(log));
    expect(monitor.losses).toEqual([
      { topic: '/a', cause: 'queue-full', messages: 3, startTime: at(0), endTime: at(0.02) + 1n },
      { topic: '/a', cause: 'queue-full', messages: 1, startTime: at(2), endTime: at(2) + 1n },
    ]);
  });

  it('gives the fact but no number for a stream without a rate', () => {
    const monitor = monitorOf([...steady(0, 1), ...steady(1.5, 2)], { rateHz: undefined });
    expect(monitor.losses).toMatchObject([{ cause: 'gap', messages: null }]);
  });

  it('judges a stream without rate and gap by nothing', () => {
    const settings = { rateHz: undefined, maxGapSecs: undefined };
    const monitor = monitorOf([...steady(0, 1), ...steady(60, 61)], settings);
    monitor.ended(at(120));
    expect(monitor.losses).toEqual([]);
  });

  it('status() gives rate and silence as of now', () => {
    const status = monitorOf(steady(0, 3)).status(at(3));
    expect(status.rateHz).toBeCloseTo(100, -1);
    expect(status.silentSecs).toBeCloseTo(0.01);
    expect(status).toMatchObject({ topic: '/a', stream: 'a', received: 300, lost: 0, trouble: undefined });
    expect(status.ageSecs).toBeCloseTo(0.002);
    expect(status.largestGapSecs).toBeCloseTo(0.01);
  });

  it.each([
    ['lossy', 'loses', () => monitorOf([...steady(0, 1), ...steady(1.2, 3)]), 3],
    ['silent', 'is silent for longer than its gap', () => monitorOf(steady(0, 3)), 3.2],
    ['silent', 'was never heard', () => monitorOf([]), 0.2],
    ['slow', 'is well below its rate', () => monitorOf(steady(0, 3).filter((_, i) => i % 2 === 0)), 3],
    ['runaway', 'has a sensor clock that stands still', () => monitorOf(standing), 3],
    ['runaway', 'has a sensor clock that was set forward', () => monitorOf(setForward), 3],
    ['runaway', 'is delayed more and more', () => monitorOf(piledUp), 5.76],
  ] as const)('status() calls %s a stream that %s', (trouble, _what, make, now) => {
    expect(make().status(at(now)).trouble).toBe(trouble);
  });

  it('status() takes one late message for no runaway', () => {
    const late = [[0, -0.8] as const, ...steady(0.01, 3)];
    expect(monitorOf(late).status(at(3)).trouble).toBeUndefined();
  });

  it('status() forgets a loss when it is asked to, and counts it all the same', () => {
    const monitor = monitorOf([...steady(0, 1), ...steady(1.2, 3)]);
    expect(monitor.status(at(3), at(1.1))).toMatchObject({ trouble: 'lossy', lost: 20 });
    expect(monitor.status(at(3), at(2))).toMatchObject({ trouble: undefined, lost: 20 });
    expect(monitor.status(at(3), at(2)).largestGapSecs).toBeCloseTo(0.21, 1);
  });

  it('status() finds no trouble in a slow stream, wherever the measuring window begins', () => {
    const times = Array.from({ length: 10 }, (_, i) => [i + 0.05, i + 0.05] as const);
    for (let now = 3; now < 9; now += 0.05) {
      const monitor = monitorOf(
        times.filter(([log]) => log <= now),
        { rateHz: 1, maxGapSecs: undefined },
      );
      expect(monitor.status(at(now)).trouble, `at ${now} s`).toBeUndefined();
    }
  });
});
