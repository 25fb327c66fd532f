import type { Pose, Vec3 } from './pose.ts';

/** One rigid part of the robot. Metres, radians, kilograms. */
export interface Link {
  readonly name: string;
  readonly parent: string;
  /** parent_from_link, with the joint at zero. */
  readonly origin: Pose;
  /** Absent for a link that is fixed to its parent. */
  readonly joint?: Joint;
  readonly shapes: readonly Shape[];
  /** Zero for frames without a body of their own. */
  readonly massKg: number;
}

export interface Joint {
  readonly name: string;
  readonly kind: 'revolute' | 'prismatic';
  /** Unit axis in the link's frame. */
  readonly axis: Vec3;
  /** Radians or metres. */
  readonly range: readonly [number, number];
  /** Newton metres or newtons. */
  readonly effortLimit: number;
  /** Per second. */
  readonly velocityLimit: number;
}

/** A primitive that physics, URDF and pictures all know. */
export type Shape = {
  /** In the link's frame; shapes stand along its axes. */
  readonly center: Vec3;
  readonly color: Color;
  /** Whether it meets the block: the other parts of the arm never do. @default false */
  readonly collides?: boolean;
} & (
  | { readonly kind: 'box'; readonly halfSize: Vec3 }
  | { readonly kind: 'cylinder'; readonly radius: number; readonly halfLength: number; readonly axis: Axis }
);

export type Axis = 'x' | 'y' | 'z';

/** RGB, each 0 to 1, before shading. */
export type Color = readonly [number, number, number];
