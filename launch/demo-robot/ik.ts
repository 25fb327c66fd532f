import type { Kinematics } from './physics.ts';
import { cross, type Pose, rotate, rotationBetween, subtract, type Vec3 } from './pose.ts';
import { HOME, LINKS } from './robot-model.ts';

/** Damping of the least squares: keeps joint steps small near singular postures. */
const DAMPING = 0.02;
/** Share of the way towards the rest posture per iteration, in the motion that does not move the tool. */
const POSTURE_GAIN = 0.05;
/** Joint change per iteration, radians: the linearisation does not reach further. */
const MAX_STEP = 0.2;

const ARM = LINKS.filter(({ joint }) => joint?.kind === 'revolute');

/** Differential inverse kinematics of the arm: damped least squares, the spare axis drawn to the rest posture. */
export class InverseKinematics {
  readonly #kinematics: Kinematics;
  readonly #bodies: readonly number[];
  readonly #tool: number;

  constructor(kinematics: Kinematics) {
    this.#kinematics = kinematics;
    this.#bodies = ARM.map(({ name }) => kinematics.bodyId(name));
    this.#tool = kinematics.bodyId('tcp');
  }

  /** Joint positions near `start` that bring the tool towards `target`; changes the kinematics' state. */
  solve(start: readonly number[], target: Pose, iterations: number): number[] {
    let joints = [...start];
    for (let i = 0; i < iterations; i++) joints = this.#iterate(joints, target);
    return joints;
  }

  #iterate(joints: readonly number[], target: Pose): number[] {
    this.#kinematics.qpos.set(joints);
    this.#kinematics.update();
    const tool = this.#kinematics.pose(this.#tool);
    const error = [
      ...subtract(target.position, tool.position),
      ...rotationBetween(tool.orientation, target.orientation),
    ];
    const columns = ARM.map(({ joint }, i) => {
      const link = this.#kinematics.pose(this.#bodies[i]!);
      const axis: Vec3 = rotate(link.orientation, joint!.axis);
      return [...cross(axis, subtract(tool.position, link.position)), ...axis];
    });
    const posture = joints.map((q, i) => POSTURE_GAIN * (HOME[i]! - q));
    // One solve for both: the tool's error without what the posture's pull already moves the tool.
    const pulled = error.map((e, row) => e - columns.reduce((sum, c, j) => sum + c[row]! * posture[j]!, 0));
    const gram = error.map((_, a) =>
      error.map((_, b) => columns.reduce((sum, c) => sum + c[a]! * c[b]!, a === b ? DAMPING ** 2 : 0)),
    );
    const weights = solveLinear(gram, pulled);
    return joints.map((q, i) => {
      const step = posture[i]! + columns[i]!.reduce((sum, value, row) => sum + value * weights[row]!, 0);
      const [low, high] = ARM[i]!.joint!.range;
      return Math.min(high, Math.max(low, q + Math.max(-MAX_STEP, Math.min(MAX_STEP, step))));
    });
  }
}

/** Gaussian elimination with pivoting; the matrix is consumed. */
function solveLinear(matrix: number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let r = column + 1; r < n; r++) {
      if (Math.abs(rows[r]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = r;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]!;
    for (let r = column + 1; r < n; r++) {
      const factor = rows[r]![column]! / head[column]!;
      for (let c = column; c <= n; c++) rows[r]![c]! -= factor * head[c]!;
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let r = n - 1; r >= 0; r--) {
    const row = rows[r]!;
    let rest = row[n]!;
    for (let c = r + 1; c < n; c++) rest -= row[c]! * solution[c]!;
    solution[r] = rest / row[r]!;
  }
  return solution;
}
