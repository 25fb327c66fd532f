import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeJpeg } from '../../../schemas/image-codec.ts';
import { EPOCH, type TestMessage, testContract, writeTestEpisode } from '../../episode.fixture.ts';
import { cleanArm, judge, observation, picture, target } from '../arm.fixture.ts';
import { checkEpisode } from '../check-episode.ts';
import { entryOf } from '../entry-of.ts';
import type { Observation, Picture } from '../observation.ts';
import { random } from '../rig.fixture.ts';
import { type SweepRow, sweep } from '../sweep.fixture.ts';
import { VISION_CHECKS } from '../vision/vision-checks.ts';
import { CONTENT_CHECK } from './content-check.ts';

const PERIOD_MILLIS = 1000 / 30;
/** Pixels of 640 by which the view turns with each radian of the arm. */
const TURN = 200;

/** Joints and a camera that turns with them, every picture looked at, over as much as a survey takes. */
function arm(seed: number): readonly Observation[] {
  const next = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const camera = Array.from({ length: 6 * 30 }, (_, i) => {
    const secs = 0.5 + (i + 0.5) / 30;
    // What the joints report is where they were told to be 50 ms before.
    const [angle] = target(secs - 0.05);
    return observation('camera', secs, { picture: picture(normal, { shift: TURN * angle }) });
  });
  return merged(cleanArm(seed, ['joints']), camera);
}

const takes = new Map<number, readonly Observation[]>();
const clean = (seed: number) => entryOf(takes, seed, () => arm(seed));

function merged(...streams: readonly (readonly Observation[])[]): readonly Observation[] {
  return streams.flat().sort((a, b) => Number(a.logTime - b.logTime));
}

/** Pictures that are stamped and arrive this much after what they show. */
function late(take: readonly Observation[], millis: number): readonly Observation[] {
  const by = BigInt(Math.round(millis * 1e6));
  const shifted = take.map((each) => {
    if (each.stream.name !== 'camera') return each;
    return { ...each, logTime: each.logTime + by, sensorTime: each.sensorTime! + by };
  });
  return merged(shifted);
}

const row = (each: Partial<SweepRow>): SweepRow => ({
  ...{
    id: 'T15',
    stream: 'camera',
    threshold: 4 * PERIOD_MILLIS,
    seeds: 2,
    clean,
    inject: late,
    at: 1,
    within: 1,
  },
  ...each,
});

function jpegOf({ luma, lumaWidth: width, lumaHeight: height }: Picture): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: 3 * luma.length }, (_, at) => luma[Math.floor(at / 3)]!);
  return encodeJpeg({ pixels, width, height });
}

describe('T15', () => {
  sweep(
    [CONTENT_CHECK],
    [
      row({}),
      row({ inject: (take, millis) => late(take, -millis) }),
      row({ threshold: 1.5 * PERIOD_MILLIS, status: 'warn' }),
    ],
  );

  it('measures to a fraction of a period, and says to which side', () => {
    for (const millis of [-180, 90]) {
      const [finding] = judge([CONTENT_CHECK], late(clean(1), millis));
      expect(Math.abs((finding!.evidence.lagMillis as number) - millis)).toBeLessThan(15);
      expect(finding!.reason).toMatch(millis < 0 ? /early$/ : /late$/);
      expect(finding).toMatchObject({ limitOrigin: 'own' });
    }
  });

  it('says nothing where the pictures show something else, or hardly anything moves', () => {
    const other = clean(2).map((each) => {
      const next = random(Number(each.logTime % 1000n));
      return each.picture ? { ...each, picture: picture(() => 8 * next()) } : each;
    });
    expect(judge([CONTENT_CHECK], other)).toMatchObject([{ status: 'not_assessed', stream: 'camera' }]);
    const still = clean(1).filter(({ stream }) => stream.name === 'camera');
    expect(judge([CONTENT_CHECK], still)).toMatchObject([{ status: 'not_assessed' }]);
  });
});

describe('surveyContent()', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kinescribe-content-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const CONTRACT = testContract(`
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 100 }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30 }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [1], toleranceSecs: 0.1 }
samples: { tickRateHz: 20 }
`);

  it('finds pictures that come late in the liveliest seconds of a file', async () => {
    const file = join(folder, 'late.mcap');
    const next = random(7);
    const angle = (secs: number) => target(secs - 20)[0]; // the first 20 s stand still
    const joints = Array.from({ length: 3200 }, (_, i): TestMessage => {
      const value = { name: ['a'], position: [angle(i / 100)], velocity: [], effort: [] };
      return { log: i * 10, stamp: i * 10, value };
    });
    const jpegs = new Map<number, Promise<Uint8Array>>();
    const pictures = await Promise.all(
      Array.from({ length: 32 * 30 }, async (_, i): Promise<TestMessage> => {
        const millis = Math.round(i * PERIOD_MILLIS);
        const shift = TURN * angle(millis / 1000 - 0.2);
        const data = await entryOf(jpegs, shift, () => jpegOf(picture(next, { shift })));
        return { log: millis, stamp: millis, value: { format: 'jpeg', data } };
      }),
    );
    await writeTestEpisode(
      file,
      [
        { topic: '/joints', type: 'sensor_msgs/msg/JointState', messages: joints },
        { topic: '/camera', type: 'sensor_msgs/msg/CompressedImage', messages: pictures },
      ],
      { id: 'late', task: 'pick' },
    );
    const { findings, startTime } = await checkEpisode(file, { checks: [CONTENT_CHECK], contract: CONTRACT });
    expect(findings).toMatchObject([
      { status: 'fail', stream: 'camera', reason: expect.stringMatching(/ms late$/) },
    ]);
    expect(Math.abs(findings[0]!.value! - 200)).toBeLessThan(20);
    expect(Number(findings[0]!.window!.startTime - startTime) / 1e9).toBeGreaterThan(19);
    expect(findings[0]!.evidence.pictures).toBeLessThan(190);
  });
});

describe('V08', () => {
  const V08 = VISION_CHECKS.filter(({ id }) => id === 'V08');

  /** Brightness goes up and down, which four looks a second mostly miss. */
  function flickering(take: readonly Observation[], share: number, hz: number): readonly Observation[] {
    return take.map((each, i) => {
      if (!each.picture) return each;
      const secs = Number(each.logTime - EPOCH) / 1e9;
      const change = 255 * share * Math.sin(2 * Math.PI * hz * secs);
      const looked = Uint8Array.from(each.picture.luma, (y) => Math.max(0, Math.min(255, y + change)));
      return { ...each, picture: { ...each.picture, luma: looked }, fingerprint: i };
    });
  }

  it.each([1.3, 4, 7.5, 12])(
    'finds a flicker of %d Hz at twice its threshold, and says nothing at half',
    (hz) => {
      const [loud] = judge(V08, flickering(clean(1), 0.1, hz));
      expect(loud!.evidence.flicker).toBeGreaterThan(0.07);
      expect(loud).toMatchObject({ stream: 'camera' });
      expect(loud!.status).not.toBe('pass');
      const [soft] = judge(V08, flickering(clean(1), 0.025, hz));
      expect(soft!.evidence.flicker).toBeLessThan(0.05);
    },
  );

  it('takes a view that turns with the arm for no flicker', () => {
    const [finding] = judge(V08, clean(2));
    expect(finding!.evidence.flicker).toBeLessThan(0.025);
  });
});
