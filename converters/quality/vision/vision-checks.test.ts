import { describe, expect, test } from 'vitest';
import type { Calibration } from '../../../schemas/calibration.ts';
import { CALIBRATION, cleanArm, DURATION_SECS, judge, observation, picture, secsOf } from '../arm.fixture.ts';
import { entryOf } from '../entry-of.ts';
import type { Observation, Picture } from '../observation.ts';
import { random } from '../rig.fixture.ts';
import { type SweepRow, sweep } from '../sweep.fixture.ts';
import { differenceHash, sharpness } from './luma-measures.ts';
import { lumaOf } from './per-camera.ts';
import { viewOf } from './picture-shift.ts';
import { VISION_CHECKS } from './vision-checks.ts';

const AT = 4;
const RATE_HZ = 30;
/** Every sixth picture is looked at, five a second. */
const LOOK_EVERY = 6;

/** What a camera sends while all is well. */
function camera(seed: number, stream = 'camera', scene = 0): Observation[] {
  const next = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Array.from({ length: DURATION_SECS * RATE_HZ }, (_, i) => {
    const looked = i % LOOK_EVERY === 0 ? { picture: picture(normal, { scene }) } : {};
    return observation(stream, (i + 0.5) / RATE_HZ, { bytes: 40_000, fingerprint: next(), ...looked });
  });
}

const takes = new Map<number, readonly Observation[]>();
const clean = (seed: number) => entryOf(takes, seed, () => camera(seed));

/** Changes the pictures of a stretch of time, four seconds after the start. */
function pictures(
  take: readonly Observation[],
  change: (look: Picture, each: Observation) => Partial<Picture>,
  [from, to]: readonly [number, number] = [AT, AT + 2],
): Observation[] {
  return take.map((each) => {
    const isIn = each.stream.name === 'camera' && secsOf(each) >= from && secsOf(each) < to;
    return each.picture && isIn
      ? { ...each, picture: { ...each.picture, ...change(each.picture, each) } }
      : each;
  });
}

const luma = (change: (y: number, i: number, look: Picture) => number) => (look: Picture) => ({
  luma: look.luma.map((y, i) => Math.max(0, Math.min(255, change(y, i, look)))),
});

/** Mixes each pixel with the mean of its neighbours, over and over: a share of the sharpness is left. */
function blurredTo(ratio: number) {
  return (look: Picture): Partial<Picture> => {
    const { luma: sharp, lumaWidth: width } = look;
    let mixed = Float64Array.from(sharp);
    const target = sharpness(lumaOf(look)) * ratio;
    for (
      let pass = 0;
      pass < 60 && sharpness({ ...lumaOf(look), pixels: Uint8Array.from(mixed) }) > target;
      pass++
    ) {
      mixed = mixed.map((y, i) => {
        const around = [i - 1, i + 1, i - width, i + width].map((at) => mixed[at] ?? y);
        return y + 0.4 * (around.reduce((sum, each) => sum + each, 0) / 4 - y);
      });
    }
    return { luma: Uint8Array.from(mixed) };
  };
}

function depthOf(change: (i: number) => number) {
  return (): Partial<Picture> => ({
    encoding: '32FC1',
    ...{ luma: new Uint8Array(0), lumaWidth: 0, lumaHeight: 0 },
    depth: Float32Array.from({ length: 1000 }, (_, i) => change(i)),
  });
}
const depthCamera = (seed: number) =>
  pictures(
    camera(seed),
    depthOf(() => 0.8),
    [0, DURATION_SECS],
  );

const look = (scene: number) => lumaOf(picture(() => 0, { scene }));
const CAMERAS: Calibration = {
  ...CALIBRATION,
  cameras: {
    camera: {
      sharpness: sharpness(lumaOf(camera(9)[0]!.picture!)),
      hashes: [differenceHash(look(0))],
      view: viewOf(look(0)),
    },
    other: { sharpness: 1, hashes: [differenceHash(look(0.7))], view: viewOf(look(0.7)) },
  },
};

const ofCamera = (each: Partial<SweepRow> & Pick<SweepRow, 'id' | 'inject' | 'threshold'>): SweepRow => {
  return { stream: 'camera', clean, ...each };
};

const ROWS: readonly SweepRow[] = [
  ofCamera({
    ...{ id: 'V01', threshold: 1, strengths: [0, 2], at: AT },
    inject: (take, count) => {
      let left = count;
      return take.map((each) => {
        if (!each.picture || secsOf(each) < AT || left-- <= 0) return each;
        return { ...each, picture: undefined, fault: 'premature end of JPEG image' };
      });
    },
  }),
  ofCamera({
    ...{ id: 'V02', threshold: 0.05, at: AT },
    clean: (seed) => withInfo(clean(seed)),
    inject: (take, share) => {
      let left = Math.round(share * DURATION_SECS * RATE_HZ);
      return take.filter((each) => each.stream.name !== 'camera' || secsOf(each) < AT || left-- <= 0);
    },
  }),
  ofCamera({
    ...{ id: 'V03', threshold: 0.5, at: 5 },
    clean: (seed) => inOrder([...clean(seed), ...cleanArm(seed, ['joints'])]),
    inject: (take, secs) => frozen(take, [5, 5 + secs + 0.05]),
  }),
  ofCamera({
    ...{ id: 'V04', threshold: 2, strengths: [1.4, 4], at: AT },
    inject: (take, secs) =>
      pictures(
        take,
        luma((y) => y / 20),
        [AT, AT + secs],
      ),
  }),
  ofCamera({
    ...{ id: 'V05', threshold: 0.6, strengths: [0.3, 0.95], at: AT },
    inject: (take, share) =>
      pictures(
        take,
        luma((y, i, { luma: all }) => (i < share * all.length ? 255 : y)),
      ),
  }),
  ofCamera({
    ...{ id: 'V06', threshold: 0.25, strengths: [0.7, 0.125], at: AT, calibration: CAMERAS },
    inject: (take, ratio) => pictures(take, blurredTo(ratio), [AT, AT + 0.8]),
  }),
  ofCamera({
    ...{ id: 'V06', threshold: 0.25, strengths: [0.7, 0.125], at: AT },
    inject: (take, ratio) => pictures(take, blurredTo(ratio), [AT, AT + 0.8]),
  }),
  ofCamera({
    ...{ id: 'V07', threshold: 8, strengths: [16, 4], at: AT, within: 2 },
    inject: (take, deviation) =>
      pictures(
        take,
        luma((y) => 128 + (y - 128) * (deviation / 38)),
      ),
  }),
  ofCamera({
    // It jumps back as far at the end of the two seconds.
    ...{ id: 'V08', threshold: 0.15, at: AT, within: 2.1 },
    inject: (take, share) =>
      pictures(
        take,
        luma((y) => y - 255 * share),
      ),
  }),
  ofCamera({
    ...{ id: 'V09', seeds: 2, threshold: 8, at: AT, within: 8, calibration: CAMERAS },
    inject: (take, shift) => turned(take, shift),
  }),
  ofCamera({
    ...{ id: 'V09', seeds: 2, threshold: 8, at: AT, within: 8 },
    inject: (take, shift) => turned(take, shift),
  }),
  ofCamera({
    ...{ id: 'V10', seeds: 2, threshold: 1, strengths: [0, 1], calibration: CAMERAS },
    inject: (take, swapped) => (swapped ? camera(3, 'camera', 0.7) : take),
  }),
  ofCamera({
    ...{ id: 'V11', threshold: 1, strengths: [0, 1], at: AT },
    inject: (take, changed) => (changed ? pictures(take, () => ({ width: 320, height: 240 })) : take),
  }),
  ofCamera({
    ...{ id: 'V12', threshold: 0.03, strengths: [0.06, 0.015] },
    inject: (take, bits) => take.map((each) => ({ ...each, bytes: (bits * 640 * 480) / 8 })),
  }),
  ofCamera({
    ...{ id: 'V13', threshold: 0.7, strengths: [0.35, 0.95], at: AT, clean: depthCamera },
    inject: (take, share) =>
      pictures(
        take,
        depthOf((i) => (i < 1000 * share ? Number.NaN : 0.8)),
      ),
  }),
  ofCamera({
    ...{ id: 'V14', threshold: 20, strengths: [10, 800], clean: depthCamera },
    inject: (take, metres) =>
      pictures(
        take,
        depthOf(() => metres),
        [0, DURATION_SECS],
      ),
  }),
];

/** Sent with each picture, stamped alike, and received a little later. */
function withInfo(take: readonly Observation[]): Observation[] {
  return take.flatMap((each) => {
    return [each, { ...observation('info', secsOf(each) + 1e-3), sensorTime: each.sensorTime }];
  });
}

function inOrder(take: readonly Observation[]): Observation[] {
  return take.toSorted((a, b) => Number(a.logTime - b.logTime));
}

/** The last picture before, again and again. */
function frozen(take: readonly Observation[], [from, to]: readonly [number, number]): Observation[] {
  let fingerprint = 0;
  let last: Picture | undefined;
  return take.map((each) => {
    if (each.stream.name !== 'camera') return each;
    if (secsOf(each) < from || secsOf(each) >= to) {
      fingerprint = each.fingerprint;
      last = each.picture ?? last;
      return each;
    }
    return { ...each, fingerprint, picture: each.picture && last };
  });
}

function turned(take: readonly Observation[], shift: number): Observation[] {
  const next = random(shift);
  return pictures(take, () => picture(() => next() - 0.5, { shift }), [AT, DURATION_SECS]);
}

describe('VISION_CHECKS', () => {
  sweep(VISION_CHECKS, ROWS);

  const of = (id: string) => VISION_CHECKS.filter((check) => check.id === id);

  test.each([
    ['an info that starts late and ends early', (secs: number) => secs > 1 && secs < 11, 'pass'],
    ['an info of which one is lost', (secs: number) => secs < 5 || secs > 5.04, 'pass'],
    ['an info of which two in a hundred are lost', (secs: number) => secs < 5 || secs > 5.24, 'warn'],
  ])('V02 compares pictures with %s', (_, keeps, status) => {
    const take = withInfo(clean(1)).filter((each) => each.stream.name !== 'info' || keeps(secsOf(each)));
    expect(judge(of('V02'), take)).toMatchObject([{ stream: 'camera', status }]);
  });

  test('V02 does not count an info that is stamped for itself', () => {
    const take = withInfo(clean(1)).map((each) => {
      return each.stream.name === 'info' ? { ...each, sensorTime: each.logTime } : each;
    });
    expect(judge(of('V02'), take)).toMatchObject([{ stream: 'camera', status: 'not_assessed' }]);
  });

  test('V03 only warns of equal pictures while the arm stands still', () => {
    const still = inOrder([...frozen(clean(1), [10.5, 11.9]), ...cleanArm(1, ['joints'])]);
    expect(judge(of('V03'), still)[0]).toMatchObject({
      status: 'warn',
      reason: expect.stringContaining('stood still'),
    });
  });

  test('V08 does not mind what moves through the picture', () => {
    const passing = pictures(
      clean(1),
      luma((y, i, { lumaWidth }) => (i % lumaWidth < lumaWidth / 2 ? 250 : y)),
    );
    expect(judge(of('V08'), passing)[0]).toMatchObject({ status: 'pass' });
  });

  test('V09 does not judge a camera that moves with the robot', () => {
    const next = random(1);
    const moving = pictures(
      clean(1),
      luma(() => 255 * next()),
      [2, 10],
    );
    expect(judge(of('V09'), moving)[0]).toMatchObject({ status: 'not_assessed' });
  });

  test('every check says why it cannot judge an episode without cameras', () => {
    const findings = judge(VISION_CHECKS, cleanArm(1, ['joints']));
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual(
      VISION_CHECKS.map(({ id }) => `${id} not_assessed`),
    );
  });
});
