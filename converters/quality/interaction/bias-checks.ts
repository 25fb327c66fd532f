import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { isGripper, isJointState, jointsOf } from '../motion/joints.ts';
import { median } from '../robust.ts';
import type { CheckedStream } from '../subject.ts';
import { isWrench, type Wrench, wrenchOf } from './wrench.ts';

/** Joints slower than this are at rest, per second; over 0.1 s. */
const REST_SPEED = 0.01;
const REST_SECS = 0.5;
/** Two rests are comparable where every joint stands within this, radians; fingers within this, metres. */
const SAME_POSE = 0.1;
const SAME_APERTURE = 0.003;
/** Samples of a rest that its median is made of, at most. */
const MOST_SAMPLES = 4096;

interface Rest {
  readonly startTime: bigint;
  endTime: bigint;
  readonly pose: ReadonlyMap<string, number>;
  readonly forces: Map<CheckedStream, Wrench[]>;
}

/** Forces while the arm rests: what a sensor reads then is gravity and bias. */
export const BIAS_CHECKS: readonly Check[] = [
  {
    id: 'I02',
    title: 'force bias at the start',
    claim: 'RISK',
    runs: 'take',
    unit: 'N',
    limits: { warn: 1, fail: 5, validated: false },
    explain: {
      cause: 'The sensor was not zeroed, something hangs on the tool, or the arm already touches something.',
      formula: '‖median F − F at calibration‖ over the first rest of 0.5 s in the calibrated home pose.',
      remedy: 'Zero the sensor in free space at home; calibrate the rig again after changing the tool.',
      example: 'wrench: 7.8 N more than at calibration',
      source: 'limits of our own',
    },
    watch: (subject) =>
      restWatch(({ stream, rests }): Judgement => {
        const calibrated = subject.calibration?.wrenches[stream.name];
        const rest = rests.find(({ forces }) => (forces.get(stream)?.length ?? 0) > 0);
        if (!calibrated?.rest) {
          return { status: 'not_assessed', reason: 'the rig has no calibration of this sensor at rest' };
        }
        if (!rest) return { status: 'not_assessed', reason: 'the arm never rests' };
        const home = new Map(
          Object.values(subject.calibration?.home ?? {}).flatMap((joints) => Object.entries(joints)),
        );
        if (!isSamePose(home, rest.pose)) {
          return { status: 'not_assessed', reason: 'the arm does not begin in the calibrated home pose' };
        }
        const value = distance(medianForce(rest.forces.get(stream)!), calibrated.rest);
        const warn = Math.max(1, 2 * calibrated.r99);
        const limits = { warn, fail: Math.max(5, 2 * warn), origin: 'calibration' as const };
        return {
          value,
          limits,
          window: windowOf(rest),
          reason: `${value.toFixed(1)} N more than at calibration`,
        };
      }),
  },
  {
    id: 'I03',
    title: 'force drift',
    claim: 'RISK',
    runs: 'take',
    unit: 'N',
    limits: { warn: 1, fail: 3, validated: false },
    explain: {
      cause: 'The sensor warms up, a cable pulls at the tool, or the object was not let go.',
      formula: '‖median F of the last rest − of the first‖, both of 0.5 s in one pose with one aperture.',
      remedy: 'Let the sensor warm up for half an hour; zero it before each session; fix the cable.',
      example: 'wrench: 3.4 N between first and last rest, 2.1 N a minute',
      source: 'arXiv 2604.23696, context; limits of our own',
    },
    watch: () =>
      restWatch(({ stream, rests }): Judgement => {
        const useful = rests.filter(({ forces }) => (forces.get(stream)?.length ?? 0) > 0);
        const first = useful[0];
        const last = first && useful.findLast((rest) => rest !== first && isSamePose(first.pose, rest.pose));
        if (!first || !last) {
          return { status: 'not_assessed', reason: 'the arm does not rest twice in one pose' };
        }
        const value = distance(medianForce(first.forces.get(stream)!), medianForce(last.forces.get(stream)!));
        const minutes = Number(last.startTime - first.startTime) / 60e9;
        const reason = `${value.toFixed(1)} N between first and last rest, ${(value / minutes).toFixed(1)} N a minute`;
        return { value, window: windowOf(last), evidence: { newtonsPerMinute: value / minutes }, reason };
      }),
  },
];

/** Gathers the first rests and the latest, and asks for each sensor at the end. */
function restWatch(
  judge: (context: { readonly stream: CheckedStream; readonly rests: readonly Rest[] }) => Judgement,
): Watch {
  const sensors = new Set<CheckedStream>();
  const finder = new RestFinder();
  return {
    wants: (stream) => isWrench(stream) || isJointState(stream),
    observe(observation) {
      const { stream, logTime } = observation;
      if (isWrench(stream)) {
        const wrench = wrenchOf(observation);
        sensors.add(stream);
        if (wrench) finder.wrench(stream, wrench);
        return;
      }
      const joints = jointsOf(observation);
      if (joints)
        finder.joints(new Map(joints.names.map((name, i) => [name, joints.positions[i]!])), logTime);
    },
    *findings(_now, facts) {
      if (!facts) return;
      for (const stream of sensors) yield { stream, ...judge({ stream, rests: finder.rests() }) };
    },
  };
}

class RestFinder {
  readonly #pose = new Map<string, number>();
  #known: Rest[] = [];
  #open: Rest | undefined;
  #reference: { readonly pose: ReadonlyMap<string, number>; readonly time: bigint } | undefined;

  joints(positions: ReadonlyMap<string, number>, time: bigint): void {
    for (const [name, position] of positions) this.#pose.set(name, position);
    this.#reference ??= { pose: new Map(this.#pose), time };
    const secs = Number(time - this.#reference.time) / 1e9;
    if (secs < 0.1) return;
    const { pose } = this.#reference;
    const isStill = [...this.#pose].every(([name, position]) => {
      return Math.abs(position - (pose.get(name) ?? position)) / secs < REST_SPEED;
    });
    const from = this.#reference.time;
    this.#reference = { pose: new Map(this.#pose), time };
    if (!isStill) this.#end();
    else if (this.#open) this.#open.endTime = time;
    else this.#open = { startTime: from, endTime: time, pose: new Map(this.#pose), forces: new Map() };
  }

  wrench(stream: CheckedStream, wrench: Wrench): void {
    const forces = this.#open && entryOf(this.#open.forces, stream, () => []);
    if (forces && forces.length < MOST_SAMPLES) forces.push(wrench);
  }

  /** Including one that still lasts. */
  rests(): readonly Rest[] {
    return this.#open && lasts(this.#open) ? [...this.#known, this.#open] : this.#known;
  }

  #end(): void {
    if (this.#open && lasts(this.#open)) this.#known.push(this.#open);
    this.#open = undefined;
    // The first of them and the latest: nobody asks for those in between.
    if (this.#known.length > 8) this.#known = [...this.#known.slice(0, 2), ...this.#known.slice(-4)];
  }
}

function lasts({ startTime, endTime }: Rest): boolean {
  return Number(endTime - startTime) / 1e9 >= REST_SECS - 0.15;
}

function isSamePose(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return [...a].every(([name, position]) => {
    const other = b.get(name);
    return other === undefined || Math.abs(position - other) <= (isGripper(name) ? SAME_APERTURE : SAME_POSE);
  });
}

function medianForce(wrenches: readonly Wrench[]): readonly number[] {
  return [0, 1, 2].map((axis) => median(wrenches.map((wrench) => wrench[axis]!)));
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);
}

function windowOf({ startTime, endTime }: Rest) {
  return { startTime, endTime: endTime + 1n };
}
