import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConvertError } from '../schemas/errors.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import {
  allFrames,
  EPOCH,
  jointState,
  joints,
  MILLI,
  type TestStream,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';
import type { Frame } from './frame.ts';

/** Per frame: milliseconds of the tick, then per vector its elements, or "-" where it is not valid. */
function table(frames: readonly Frame[]): string[] {
  return frames.map(({ tickTime, values }) => {
    const cells = [...values.values()].map((value) => {
      if (!value.valid) return '-';
      return value.kind === 'vector'
        ? [...value.elements].map((each) => +each.toFixed(6)).join(',')
        : 'image';
    });
    return [`${Number(tickTime - EPOCH) / 1e6}`, ...cells].join(' ');
  });
}

function ages(frames: readonly Frame[], key: string): (number | undefined)[] {
  return frames.map(({ values }) => {
    const { ageNanos } = values.get(key)!;
    return ageNanos === undefined ? undefined : Number(ageNanos) / 1e6;
  });
}

async function framesOf(streams: readonly TestStream[], contract: string) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  return await allFrames(file, testContract(contract));
}

const ARM = 'arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }';
const feature = (key: string, rest: string) => `${key}: { kind: vector, ${rest} }`;

test('episodeFrames() aligns a stream by hold, nearest and linear as computed by hand', async () => {
  const { frames, report } = await framesOf(
    [joints('/arm', { 0: [0], 90: [9], 130: [13], 200: [20], 480: [48], 500: [50] })],
    `
streams: { ${ARM} }
features:
  ${feature('hold', 'stream: arm, field: position, shape: [1], toleranceSecs: 0.1')}
  ${feature('nearest', 'stream: arm, field: position, shape: [1], align: nearest, toleranceSecs: 0.1')}
  ${feature('linear', 'stream: arm, field: position, shape: [1], align: linear, toleranceSecs: 0.1')}
samples: { tickRateHz: 10 }`,
  );
  expect(table(frames)).toEqual([
    '0 0 0 0',
    '100 9 9 10', // a quarter of the way from 9 to 13
    '200 20 20 20',
    '300 20 20 -', // 100 ms after 20: just inside; the next is 180 ms away
    '400 - 48 -', // 200 ms after 20, 80 ms before 48
    '500 50 50 50',
  ]);
  expect(ages(frames, 'hold')).toEqual([0, 10, 0, 100, 200, 0]);
  expect(ages(frames, 'nearest')).toEqual([0, 10, 0, 100, -80, 0]);
  expect(ages(frames, 'linear')).toEqual([0, 30, 0, 180, 200, 0]);
  expect(frames.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(report).toMatchObject({ frames: 6, ticks: 6, trimmedStart: 0, trimmedEnd: 0 });
});

test('episodeFrames() fills what is not valid with NaN, with 0 for integers and booleans', async () => {
  const { frames } = await framesOf(
    [joints('/arm', { 0: [1, 1], 100: [1, 2], 300: [0, 3] })],
    `
streams: { ${ARM} }
features:
  ${feature('real', 'stream: arm, field: position, shape: [2], toleranceSecs: 0.05')}
  ${feature('integer', 'stream: arm, field: position, shape: [2], dtype: int64, toleranceSecs: 0.05')}
  ${feature('flag', 'stream: arm, field: "position[0]", shape: [1], dtype: bool, toleranceSecs: 0.05')}
samples: { tickRateHz: 10 }`,
  );
  const masked = [...frames[2]!.values.values()].map(
    (value) => value.kind === 'vector' && [...value.elements],
  );
  expect(masked).toEqual([[Number.NaN, Number.NaN], [0, 0], [0]]);
});

const CLOCKS: TestStream = {
  topic: '/arm',
  type: 'sensor_msgs/msg/JointState',
  // Stamped 3 s before it was received, published 50 ms before.
  messages: [0, 100, 200].map((log, i) => ({
    log,
    publish: log - 50,
    stamp: log - 3000,
    value: jointState([i]),
  })),
};

test.each([
  ['sensor', '-3000 0', ''],
  ['publish', '-50 0', ''],
  ['log', '0 0', ''],
  ['log', '-3000 0', ', clock: sensor'],
])('episodeFrames() puts values on the %s clock, or on the stream’s own', async (clock, first, own) => {
  const { frames } = await framesOf(
    [CLOCKS],
    `
streams: { arm: { topic: /arm, role: motion, type: sensor_msgs/JointState${own} } }
features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 0.2')} }
samples: { tickRateHz: 10, clock: ${clock} }`,
  );
  expect(table(frames)[0]).toBe(first);
  expect(frames).toHaveLength(3);
  expect(ages(frames, 'position')).toEqual([0, 0, 0]);
});

test('episodeFrames() keeps gaps as masks and trims both ends to complete ticks', async () => {
  const every = (from: number, to: number) =>
    Object.fromEntries(
      Array.from({ length: (to - from) / 100 + 1 }, (_, i) => [from + 100 * i, [from + 100 * i]]),
    );
  const { frames, report } = await framesOf(
    [
      joints('/arm', every(0, 1000)),
      joints('/hand', { ...every(250, 450), ...every(750, 850) }),
      joints('/rare', { 600: [6] }),
    ],
    `
streams:
  ${ARM}
  hand: { topic: /hand, role: motion, type: sensor_msgs/msg/JointState }
  rare: { topic: /rare, role: context, type: sensor_msgs/msg/JointState, required: false }
features:
  ${feature('arm', 'stream: arm, field: position, shape: [1], toleranceSecs: 0.06')}
  ${feature('hand', 'stream: hand, field: position, shape: [1], toleranceSecs: 0.06')}
  ${feature('rare', 'stream: rare, field: position, shape: [1], toleranceSecs: 0.06')}
samples: { tickRateHz: 10 }`,
  );
  expect(table(frames)).toEqual([
    '300 300 250 -',
    '400 400 350 -',
    '500 500 450 -',
    '600 600 - 6',
    '700 700 - -',
    '800 800 750 -',
    '900 900 850 -',
  ]);
  expect(report).toMatchObject({
    frames: 7,
    ticks: 11,
    trimmedStart: 3,
    trimmedEnd: 1,
    missingAtStart: new Map([['hand', 3]]),
    lateMessages: new Map(),
  });
});

test.each<[string, Record<number, number[]>, number, number]>([
  ['ends', {}, 12, 28],
  ['goes on', { 3500: [7], 3900: [7] }, 40, 0],
])(
  'episodeFrames() looks ahead when a required stream falls silent for long: it %s',
  async (_, later, count, end) => {
    const every100 = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [100 * i, [i]]));
    const until1100 = Object.fromEntries(Object.entries(every100).filter(([time]) => Number(time) <= 1100));
    const { frames, report } = await framesOf(
      [joints('/arm', every100), joints('/hand', { ...until1100, ...later })],
      `
streams:
  ${ARM}
  hand: { topic: /hand, role: motion, type: sensor_msgs/msg/JointState }
features:
  ${feature('arm', 'stream: arm, field: position, shape: [1], toleranceSecs: 0.06')}
  ${feature('hand', 'stream: hand, field: position, shape: [1], toleranceSecs: 0.06')}
samples: { tickRateHz: 10 }`,
    );
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(report).toMatchObject({ frames: count, ticks: 40, trimmedStart: 0, trimmedEnd: end });
  },
);

test('episodeFrames() takes the last received of equal stamps, and goes by stamp when stamps step back', async () => {
  const stamped = (stamp: number, log: number, position: number) => ({
    stamp,
    log,
    value: jointState([position]),
  });
  const { frames } = await framesOf(
    [
      {
        topic: '/arm',
        type: 'sensor_msgs/msg/JointState',
        messages: [
          stamped(0, 1000, 0),
          stamped(100, 1100, 1),
          stamped(100, 1150, 2),
          stamped(300, 1300, 3),
          stamped(190, 1301, 4),
          stamped(400, 1400, 5),
        ],
      },
    ],
    `
streams: { ${ARM} }
features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')} }
samples: { tickRateHz: 10 }`,
  );
  expect(table(frames)).toEqual(['0 0', '100 2', '200 4', '300 3', '400 5']);
});

test('episodeFrames() joins the channels of several publishers of one topic', async () => {
  const { frames } = await framesOf(
    [joints('/arm', { 0: [0], 190: [2] }), joints('/arm', { 100: [1], 300: [3] })],
    `
streams: { ${ARM} }
features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 0.05')} }
samples: { tickRateHz: 10 }`,
  );
  expect(table(frames)).toEqual(['0 0', '100 1', '200 2', '300 3']);
});

test('episodeFrames() gives no frames for an episode without messages of optional streams', async () => {
  const { frames, report } = await framesOf(
    [joints('/other', { 0: [1] })],
    `
streams: { arm: { topic: /arm, role: motion, type: sensor_msgs/JointState, required: false } }
features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')} }
samples: { tickRateHz: 10 }`,
  );
  expect(frames).toEqual([]);
  expect(report).toMatchObject({ frames: 0, ticks: 0, trimmedStart: 0, trimmedEnd: 0 });
});

test('episodeFrames() gives one frame for an episode of one message', async () => {
  const { frames } = await framesOf(
    [joints('/arm', { 70: [1] })],
    `
streams: { ${ARM} }
features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')} }
samples: { tickRateHz: 10 }`,
  );
  expect(table(frames)).toEqual(['70 1']);
});

test('episodeFrames() does not let a latched message from long before set the first tick', async () => {
  const latched = { log: 0, stamp: -60_000, value: jointState([9]) };
  const { frames, report } = await framesOf(
    [
      joints('/arm', { 0: [0], 100: [1] }),
      { topic: '/goal', type: 'sensor_msgs/msg/JointState', messages: [latched] },
    ],
    `
streams:
  ${ARM}
  goal: { topic: /goal, role: context, type: sensor_msgs/msg/JointState }
features:
  ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')}
  ${feature('goal', 'stream: goal, field: position, shape: [1], toleranceSecs: 600')}
samples: { tickRateHz: 10 }`,
  );
  expect(table(frames)).toEqual(['0 0 9', '100 1 9']);
  expect(report.ticks).toBe(2);
});

const ONE = `features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')} }
samples: { tickRateHz: 10 }`;

test.each<[string, TestStream[], string, RegExp]>([
  [
    'the topic is not there',
    [joints('/arn', { 0: [1] })],
    `streams: { ${ARM} }\n${ONE}`,
    /stream "arm" has no message on topic "\/arm"; did you mean "\/arn"\?/,
  ],
  [
    'the type is another',
    [joints('/arm', { 0: [1] })],
    `streams: { arm: { topic: /arm, role: motion, type: nav_msgs/msg/Odometry } }\n${ONE}`,
    /must be of type "nav_msgs\/msg\/Odometry", but "\/arm" was recorded as "sensor_msgs\/msg\/JointState"/,
  ],
  [
    'the type has no header and the clock is the sensor’s',
    [
      {
        topic: '/arm',
        type: 'std_msgs/msg/Float64MultiArray' as const,
        messages: [{ log: 0, value: { layout: { dim: [], data_offset: 0 }, data: [1] } }],
      },
    ],
    `streams: { arm: { topic: /arm, role: motion, type: std_msgs/msg/Float64MultiArray } }\n${ONE}`,
    /"std_msgs\/msg\/Float64MultiArray" of "\/arm" begins with no header. Set "clock: publish"/,
  ],
  [
    'a joint is not there',
    [joints('/arm', { 0: [1] })],
    `streams: { ${ARM} }\n${ONE.replace('position,', '"position[name=A1]",')}`,
    /feature "position" of .*"sensor_msgs\/msg\/JointState" on "\/arm" "name" does not hold "A1"; did you mean "a"\? Correct/,
  ],
  [
    'the number of elements is another',
    [joints('/arm', { 0: [1, 2] })],
    `streams: { ${ARM} }\n${ONE}`,
    /field "position" holds 2 numbers, shape \[1\] asks for 1/,
  ],
  ...(
    [
      ['uint8', 256],
      ['uint8', 0.5],
      ['int64', Number.NaN],
      ['bool', 2],
    ] as const
  ).map(([dtype, number]): [string, TestStream[], string, RegExp] => [
    `dtype ${dtype} cannot hold ${number}`,
    [joints('/arm', { 0: [number] })],
    `streams: { ${ARM} }\n${ONE.replace('shape: [1],', `shape: [1], dtype: ${dtype},`)}`,
    new RegExp(`there is the number ${number}, which dtype "${dtype}" cannot hold`),
  ]),
  [
    'the stamps stand still',
    [
      {
        topic: '/arm',
        type: 'sensor_msgs/msg/JointState' as const,
        messages: [0, 10].map((log) => ({ log, stamp: 0, value: jointState([1]) })),
      },
    ],
    `streams: { ${ARM} }\n${ONE}`,
    /first and the last of 2 messages of stream "arm" on "\/arm" bear the same time/,
  ],
  [
    'a stream’s clock has nothing to do with another’s',
    [
      joints('/arm', { 0: [1], 100: [1] }),
      {
        topic: '/hand',
        type: 'sensor_msgs/msg/JointState' as const,
        messages: [0, 10].map((log) => ({ log, stamp: log - 1.7e12, value: jointState([1]) })),
      },
    ],
    `streams:
  ${ARM}
  hand: { topic: /hand, role: motion, type: sensor_msgs/msg/JointState }
features:
  ${feature('arm', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')}
  ${feature('hand', 'stream: hand, field: position, shape: [1], toleranceSecs: 1')}
samples: { tickRateHz: 10 }`,
    /stamps of "hand" lie 1700000000 s behind those of "arm"/,
  ],
])('episodeFrames() says what to correct when %s', async (_, streams, contract, message) => {
  const failure = framesOf(streams, contract);
  await expect(failure).rejects.toThrow(message);
  await expect(failure).rejects.toBeInstanceOf(ConvertError);
});

test('episodeFrames() runs at ticks that no fraction of a second adds up to', async () => {
  const { frames } = await framesOf(
    [joints('/arm', Object.fromEntries(Array.from({ length: 301 }, (_, i) => [i * 10, [i]])))],
    `
streams: { ${ARM} }
features: { ${feature('position', 'stream: arm, field: position, shape: [1], toleranceSecs: 1')} }
samples: { tickRateHz: 29.97 }`,
  );
  expect(frames).toHaveLength(90);
  expect(frames[89]!.tickTime).toBe(EPOCH + (89n * 1_000_000n * MILLI) / 29_970n);
});
