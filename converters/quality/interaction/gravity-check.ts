import { multiply, type Quaternion } from '../../../schemas/quaternion.ts';
import { normalized, rotate } from '../../rotation.ts';
import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { isGripper, isJointState, jointsOf } from '../motion/joints.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { ContactDetector } from './contact.ts';
import { isWrench, wrenchOf } from './wrench.ts';

const TRANSFORMS = /\/TFMessage$/;
/** Faster joints shake the tool: inertia is no gravity. Per second, over 50 ms. */
const SLOW = 0.2;
/** Share by which an aperture may differ from the first: a tool that holds something weighs more. */
const SAME_APERTURE = 0.1;
const LEAST_SAMPLES = 50;
/** Keeps the fit solvable where the tool never turns; newtons are then all bias. */
const RIDGE = 1e-6;
const DEEPEST_TREE = 64;

/** Forces in free space against the weight of the tool. */
export const GRAVITY_RESIDUAL: Check = {
  id: 'I04',
  title: 'gravity residual',
  claim: 'RISK',
  runs: 'library',
  unit: 'N',
  limits: { warn: 0.5, fail: 1.5, validated: false },
  explain: {
    cause: 'A cable pulls at the tool, the sensor’s frame is wrong, or the sensor has drifted.',
    formula: 'RMS of F − m g Rᵀẑ − b over slow free motion, m and b by least squares, R by the transforms.',
    remedy: 'Fix the cable; compare the sensor’s frame in the robot description with how it is mounted.',
    example: 'wrench: 1.9 N are left of what neither weight nor bias explains',
    source: 'compensation by recursive least squares; limits of our own',
  },
  watch: (): Watch => {
    const tree = new Map<string, { readonly parent: string; readonly rotation: Quaternion }>();
    const sensors = new Map<CheckedStream, GravityFit>();
    const freedom = new Freedom();
    return {
      wants: (stream) => isWrench(stream) || isJointState(stream) || TRANSFORMS.test(stream.type),
      observe(observation) {
        const { stream, value, logTime } = observation;
        if (isJointState(stream)) return freedom.observe(observation);
        if (!isWrench(stream)) {
          for (const { header, child_frame_id: child, transform } of Array.isArray(value?.transforms)
            ? value.transforms
            : []) {
            const { x, y, z, w } = transform?.rotation ?? {};
            const rotation = normalized([x, y, z, w]);
            if (rotation) tree.set(child, { parent: header.frame_id, rotation });
          }
          return;
        }
        const wrench = wrenchOf(observation);
        const fit = entryOf(sensors, stream, () => new GravityFit());
        const header = value?.header as { frame_id?: string } | undefined;
        const rotation = worldFrom(tree, header?.frame_id ?? '');
        const isFree = wrench && !fit.detector.add(wrench, logTime).inContact && freedom.isFree;
        if (isFree && rotation) fit.add(wrench, rotation);
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        for (const [stream, fit] of sensors) {
          if (fit.count < LEAST_SAMPLES) {
            const reason = 'no transforms place the sensor while the arm moves slowly and freely';
            yield { stream, status: 'not_assessed', reason };
            continue;
          }
          const { rms, massKg } = fit.solve();
          const evidence = { samples: fit.count, massKg: Number(massKg.toFixed(3)) };
          const reason = `${rms.toFixed(2)} N are left of what neither weight nor bias explains`;
          yield { stream, value: rms, evidence, reason };
        }
      },
    };
  },
};

/** Rotation of a frame in the root of its tree; undefined where it is in none. */
function worldFrom(
  tree: ReadonlyMap<string, { readonly parent: string; readonly rotation: Quaternion }>,
  frame: string,
): Quaternion | undefined {
  let edge = tree.get(frame);
  if (!edge) return undefined;
  let rotation = edge.rotation;
  for (let depth = 0; depth < DEEPEST_TREE; depth++) {
    edge = tree.get(edge.parent);
    if (!edge) return rotation;
    rotation = multiply(edge.rotation, rotation);
  }
  return undefined;
}

/** Whether the arm moves slowly and its fingers are as they were at the start. */
class Freedom {
  isFree = false;
  readonly #last = new Map<string, { readonly position: number; readonly time: bigint }>();
  readonly #first = new Map<string, number>();
  readonly #fast = new Map<string, boolean>();

  observe(observation: Observation): void {
    const joints = jointsOf(observation);
    const time = observation.logTime;
    joints?.names.forEach((name, i) => {
      const position = joints.positions[i]!;
      const first = entryOf(this.#first, name, () => position);
      if (isGripper(name)) {
        this.#fast.set(name, Math.abs(position - first) > SAME_APERTURE * Math.max(Math.abs(first), 0.01));
        return;
      }
      const last = entryOf(this.#last, name, () => ({ position, time }));
      const secs = Number(time - last.time) / 1e9;
      if (secs < 0.05) return;
      this.#fast.set(name, Math.abs(position - last.position) / secs > SLOW);
      this.#last.set(name, { position, time });
    });
    this.isFree = ![...this.#fast.values()].includes(true);
  }
}

/** Least squares of F = w · Rᵀẑ + b in constant memory: w = −m g along the sensor’s view of up. */
class GravityFit {
  readonly detector = new ContactDetector(undefined);
  count = 0;
  /** Normal equations of the unknowns w, bx, by, bz. */
  readonly #matrix = Array.from({ length: 4 }, () => new Float64Array(4));
  readonly #right = new Float64Array(4);
  #squares = 0;

  add(force: readonly number[], [x, y, z, w]: Quaternion): void {
    const up = rotate([-x, -y, -z, w], [0, 0, 1]);
    this.count++;
    for (let axis = 0; axis < 3; axis++) {
      const row = [up[axis]!, axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];
      const value = force[axis]!;
      this.#squares += value * value;
      for (let i = 0; i < 4; i++) {
        this.#right[i]! += row[i]! * value;
        for (let j = 0; j < 4; j++) this.#matrix[i]![j]! += row[i]! * row[j]!;
      }
    }
  }

  solve(): { readonly rms: number; readonly massKg: number } {
    const ridge = this.#matrix.map((row, i) =>
      row.map((value, j) => value + (i === j ? RIDGE * this.count : 0)),
    );
    const solution = solveLinear(ridge, this.#right);
    let residual = this.#squares;
    for (let i = 0; i < 4; i++) {
      residual -= 2 * solution[i]! * this.#right[i]!;
      for (let j = 0; j < 4; j++) residual += solution[i]! * this.#matrix[i]![j]! * solution[j]!;
    }
    return { rms: Math.sqrt(Math.max(0, residual) / this.count), massKg: Math.abs(solution[0]!) / 9.80665 };
  }
}

/** Gauss elimination with pivots; the matrix is positive definite. */
function solveLinear(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const rows = matrix.map((row, i) => Float64Array.of(...row, right[i]!));
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) {
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i]![column]! / rows[column]![column]!;
      for (let j = column; j <= n; j++) rows[i]![j]! -= factor * rows[column]![j]!;
    }
  }
  const solution = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= rows[i]![j]! * solution[j]!;
    solution[i] = sum / rows[i]![i]!;
  }
  return solution;
}
