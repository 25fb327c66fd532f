import { multiply, type Quaternion } from '../../schemas/quaternion.ts';
import { axisAngle, type Pose, type Vec3 } from './pose.ts';
import { BLOCK, MAX_APERTURE } from './robot-model.ts';

/** What the arm is about; `rest` before and after a task. */
export type Phase =
  | 'rest'
  | 'approach'
  | 'descend'
  | 'grasp'
  | 'lift'
  | 'transport'
  | 'place'
  | 'release'
  | 'retreat';

/** Where the tool is and how far the fingers are open. */
export interface Waypoint {
  readonly position: Vec3;
  /** About the vertical, radians; at 0 the fingers close along the world's y axis. */
  readonly yaw: number;
  /** Metres between the pads. */
  readonly aperture: number;
}

export interface Segment {
  readonly phase: Phase;
  readonly to: Waypoint;
  readonly durationSecs: number;
}

export interface Task {
  /** Centre of the block on the table. */
  readonly block: Vec3;
  readonly blockYaw: number;
  readonly target: Vec3;
  readonly targetYaw: number;
  /** How far beside the block the gripper closes, metres; 0 for a good grasp. */
  readonly missBy: number;
}

/** The tool's height above the grasp while it carries. */
const CLEARANCE = 0.13;
/** Closed further than the block is wide: the servo presses with what is missing. */
const GRIP_APERTURE = BLOCK.edge - 0.012;
/** The block is set down this far into the table, so that it stands before it is let go. */
const OVERPRESS = 0.0015;
const MEAN_SPEED = 0.22;

/** The script of one pick-and-place, from wherever the tool is to back at rest. */
export function planTask(from: Waypoint, rest: Waypoint, task: Task): Segment[] {
  const beside = (p: Vec3): Vec3 => [
    p[0] + task.missBy * Math.cos(task.blockYaw),
    p[1] + task.missBy * Math.sin(task.blockYaw),
    p[2],
  ];
  const raised = (p: Vec3): Vec3 => [p[0], p[1], p[2] + CLEARANCE];
  const grasp = beside([task.block[0], task.block[1], BLOCK.edge / 2]);
  const place: Vec3 = [task.target[0], task.target[1], BLOCK.edge / 2 - OVERPRESS];
  const open = { yaw: task.blockYaw, aperture: MAX_APERTURE };
  const holding = { yaw: task.blockYaw, aperture: GRIP_APERTURE };
  const carried = { yaw: task.targetYaw, aperture: GRIP_APERTURE };
  const freed = { yaw: task.targetYaw, aperture: MAX_APERTURE };
  const script: readonly (readonly [Phase, Waypoint, number?])[] = [
    ['approach', { position: raised(grasp), ...open }],
    ['descend', { position: grasp, ...open }],
    ['grasp', { position: grasp, ...holding }, 0.7],
    ['lift', { position: raised(grasp), ...holding }],
    ['transport', { position: raised(place), ...carried }],
    ['place', { position: place, ...carried }],
    ['release', { position: place, ...freed }, 0.6],
    ['retreat', { position: raised(place), ...freed }],
    ['retreat', rest],
  ];
  let last = from;
  return script.map(([phase, to, durationSecs = travelSecs(last, to)]) => {
    last = to;
    return { phase, to, durationSecs };
  });
}

function travelSecs(from: Waypoint, to: Waypoint): number {
  const metres = Math.hypot(...from.position.map((x, i) => x - to.position[i]!));
  return 0.4 + metres / MEAN_SPEED;
}

/** The point a share of the way in time, 0 to 1, along a minimum-jerk path. */
export function between(from: Waypoint, to: Waypoint, share: number): Waypoint {
  const t = Math.max(0, Math.min(1, share));
  const s = t ** 3 * (10 - 15 * t + 6 * t * t);
  const mix = (a: number, b: number) => a + (b - a) * s;
  return {
    position: [
      mix(from.position[0], to.position[0]),
      mix(from.position[1], to.position[1]),
      mix(from.position[2], to.position[2]),
    ],
    yaw: mix(from.yaw, to.yaw),
    aperture: mix(from.aperture, to.aperture),
  };
}

const POINTING_DOWN: Quaternion = [0, 1, 0, 0];

/** world_from_tool at a waypoint. */
export function toolPose({ position, yaw }: Waypoint): Pose {
  return { position, orientation: multiply(axisAngle([0, 0, 1], yaw), POINTING_DOWN) };
}
