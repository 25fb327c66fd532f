import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  formatOfferedQos,
  formatTypeHash,
  isTooStrong,
  type OfferedQos,
  outdated,
  replayedQos,
  requestedQos,
} from './qos.ts';

const INFINITE = { sec: 9223372036n, nsec: 854775807n };
const RELIABLE: OfferedQos = {
  history: 'keep_last',
  depth: 10,
  reliability: 'reliable',
  durability: 'volatile',
  deadline: INFINITE,
  lifespan: INFINITE,
  liveliness: 'automatic',
  livelinessLeaseDuration: INFINITE,
  avoidRosNamespaceConventions: false,
};
const SENSOR: OfferedQos = { ...RELIABLE, depth: 5, reliability: 'best_effort' };
const LATCHED: OfferedQos = { ...RELIABLE, depth: 1, durability: 'transient_local' };
const JOINTS = 'sensor_msgs/msg/JointState';

describe('requestedQos()', () => {
  it.each([
    ['reliable when all are', [RELIABLE, RELIABLE], 'reliable', 'volatile'],
    ['best effort when one is', [RELIABLE, SENSOR], 'best_effort', 'volatile'],
    ['transient-local when all are', [LATCHED, LATCHED], 'reliable', 'transient_local'],
    ['volatile when one is', [LATCHED, RELIABLE], 'reliable', 'volatile'],
    [
      'the weakest for what a middleware does not tell',
      [{ ...RELIABLE, reliability: 'unknown', durability: 'unknown' } as const],
      'best_effort',
      'volatile',
    ],
  ] as const)('asks for %s', (_, offers, reliability, durability) => {
    expect(requestedQos(JOINTS, offers)).toMatchObject({ reliability, durability });
  });

  it('asks for what the contract says instead', () => {
    const override = { reliability: 'best_effort', depth: 7 } as const;
    expect(requestedQos(JOINTS, [RELIABLE, LATCHED], override)).toEqual({
      ...override,
      durability: 'volatile',
    });
  });

  it('holds two seconds of a fast topic, and fewer of large messages', () => {
    expect(requestedQos(JOINTS, [RELIABLE]).depth).toBeGreaterThanOrEqual(2000);
    for (const type of [
      'sensor_msgs/msg/Image',
      'sensor_msgs/msg/CompressedImage',
      'sensor_msgs/msg/PointCloud2',
    ]) {
      expect(requestedQos(type, [RELIABLE]).depth).toBeLessThanOrEqual(60);
    }
  });
});

describe('isTooStrong()', () => {
  const request = { reliability: 'best_effort', durability: 'volatile', depth: 1 } as const;
  it.each([
    ['best effort of anybody', request, SENSOR, false],
    ['reliable of a reliable publisher', { ...request, reliability: 'reliable' }, RELIABLE, false],
    ['reliable of a best-effort publisher', { ...request, reliability: 'reliable' }, SENSOR, true],
    ['latched of a latched publisher', { ...request, durability: 'transient_local' }, LATCHED, false],
    ['latched of a volatile publisher', { ...request, durability: 'transient_local' }, RELIABLE, true],
  ] as const)('of %s', (_, asked, offer, expected) => {
    expect(isTooStrong(asked, offer)).toBe(expected);
  });
});

describe('replayedQos()', () => {
  const PLAIN = { reliability: 'reliable', durability: 'volatile', depth: 2000 };
  it.each([
    ['reliable publishers', [RELIABLE, RELIABLE], PLAIN],
    ['best-effort publishers', [SENSOR, SENSOR], { ...PLAIN, reliability: 'best_effort' }],
    ['publishers of both kinds', [SENSOR, RELIABLE], PLAIN],
    [
      'latched publishers, all of what they keep',
      [LATCHED, LATCHED],
      { ...PLAIN, durability: 'transient_local', depth: 2 },
    ],
    ['nobody told', [], PLAIN],
  ] as const)('stands for %s', (_, offers, expected) => {
    for (const form of ['names', 'numbers'] as const) {
      expect(replayedQos(JOINTS, formatOfferedQos(offers, form))).toEqual(expected);
    }
  });
});

describe('outdated()', () => {
  const asked = (...offers: readonly OfferedQos[]) => requestedQos(JOINTS, offers);

  it.each([
    ['a best-effort publisher joins reliable ones', asked(RELIABLE), asked(RELIABLE, SENSOR), true],
    ['a volatile publisher joins latched ones', asked(LATCHED), asked(LATCHED, RELIABLE), true],
    ['only latched publishers are left', asked(LATCHED, RELIABLE), asked(LATCHED), true],
    ['only reliable publishers are left', asked(RELIABLE, SENSOR), asked(RELIABLE), false],
    ['nothing changes', asked(RELIABLE), asked(RELIABLE, RELIABLE), false],
  ])('when %s', (_, current, wanted, expected) => {
    expect(outdated(current, wanted)).toBe(expected);
  });
});

describe('formatOfferedQos()', () => {
  /** Written by rosbag2 of ROS 2 Jazzy for a default and a latched publisher. */
  const ROSBAG2 = `- history: keep_last
  depth: 10
  reliability: reliable
  durability: volatile
  deadline:
    sec: 9223372036
    nsec: 854775807
  lifespan:
    sec: 9223372036
    nsec: 854775807
  liveliness: automatic
  liveliness_lease_duration:
    sec: 9223372036
    nsec: 854775807
  avoid_ros_namespace_conventions: false
- history: keep_last
  depth: 1
  reliability: reliable
  durability: transient_local
  deadline:
    sec: 9223372036
    nsec: 854775807
  lifespan:
    sec: 9223372036
    nsec: 854775807
  liveliness: automatic
  liveliness_lease_duration:
    sec: 9223372036
    nsec: 854775807
  avoid_ros_namespace_conventions: false`;

  it('writes the text of rosbag2', () => {
    expect(formatOfferedQos([RELIABLE, LATCHED], 'names')).toBe(ROSBAG2);
  });

  it('writes policies as the numbers of rmw/types.h for older rosbag2', () => {
    expect(parse(formatOfferedQos([{ ...SENSOR, liveliness: 'manual_by_topic' }], 'numbers'))).toMatchObject([
      { history: 1, depth: 5, reliability: 2, durability: 2, liveliness: 3 },
    ]);
  });
});

describe('formatTypeHash()', () => {
  const hash = (version: number, byte: number) => ({ version, value: new Uint8Array(32).fill(byte) });

  it.each([
    ['the hash all publishers agree on', [hash(1, 0xa1), hash(1, 0xa1)], `RIHS01_${'a1'.repeat(32)}`],
    ['the hash of those that tell', [hash(0, 0), hash(1, 0xa1)], `RIHS01_${'a1'.repeat(32)}`],
    ['nothing when two disagree', [hash(1, 1), hash(1, 2)], ''],
    ['nothing when none tells', [], ''],
  ])('gives %s', (_, hashes, text) => {
    expect(formatTypeHash(hashes)).toBe(text);
  });
});
