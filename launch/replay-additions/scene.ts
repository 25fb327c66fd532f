import type { ChannelSpec } from '../../schemas/message.ts';
import { nanosToStamp } from '../../schemas/time.ts';

/** Parts of `foxglove.SceneUpdate` as JSON (foxglove-sdk, schemas/jsonschema). */
export interface Arrow {
  readonly position: Point;
  /** Turns the x axis to where the arrow points. */
  readonly orientation: Rotation;
  readonly length: number;
  readonly color: Color;
}

export interface Cube {
  readonly position: Point;
  /** Metres along x, y and z. */
  readonly size: Point;
  readonly color: Color;
}

export type Point = Readonly<Record<'x' | 'y' | 'z', number>>;
export type Rotation = Readonly<Record<'x' | 'y' | 'z' | 'w', number>>;
export type Color = Readonly<Record<'r' | 'g' | 'b' | 'a', number>>;

const text = new TextEncoder();
const UPRIGHT: Rotation = { x: 0, y: 0, z: 0, w: 1 };
const list = { type: 'array', items: { type: 'object', properties: {} } };

export function sceneChannel(topic: string): ChannelSpec {
  const definition = { type: 'object', properties: { deletions: list, entities: list } };
  return {
    topic,
    messageEncoding: 'json',
    schema: {
      name: 'foxglove.SceneUpdate',
      encoding: 'jsonschema',
      data: text.encode(JSON.stringify(definition)),
    },
    metadata: new Map(),
  };
}

/** What stands in a frame from now on, in the place of what was shown before. */
export function sceneUpdate(
  frameId: string,
  {
    logTime,
    arrows,
    cubes,
  }: {
    readonly logTime: bigint;
    readonly arrows: readonly Arrow[];
    readonly cubes: readonly Cube[];
  },
): Uint8Array {
  const { sec, nanosec: nsec } = nanosToStamp(logTime);
  const timestamp = { sec, nsec };
  const entity = {
    timestamp,
    frame_id: frameId,
    id: frameId,
    lifetime: { sec: 0, nsec: 0 },
    frame_locked: true,
    metadata: [],
    arrows: arrows.map(({ position, orientation, length, color }) => ({
      pose: { position, orientation },
      shaft_length: length * 0.8,
      shaft_diameter: 0.012,
      head_length: length * 0.2,
      head_diameter: 0.025,
      color,
    })),
    cubes: cubes.map(({ position, size, color }) => ({
      pose: { position, orientation: UPRIGHT },
      size,
      color,
    })),
    ...{ spheres: [], cylinders: [], lines: [], triangles: [], texts: [], models: [] },
  };
  return text.encode(JSON.stringify({ deletions: [], entities: [entity] }));
}
