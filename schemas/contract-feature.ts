import { parseFieldPath } from './field-path.ts';
import { UNIT_NAMES, unitFactor } from './units.ts';
import { z } from './validation.ts';

/** What the contract says of one feature: the part of `contract.ts` that says what a frame holds. */

const positive = z.number().positive();

export const align = z
  .enum(['hold', 'nearest', 'linear', 'slerp', 'window'])
  .describe(
    'hold: the latest value at or before the tick. nearest and linear also use the next one. slerp: as linear, ' +
      'rotations on the shortest arc. window: all values since the tick before, the newest in the last slot.',
  );

const featureBase = {
  stream: z.string().describe('Name of a stream above.'),
  align: align.default('hold'),
  toleranceSecs: positive.describe('Beyond this distance from the tick a value is invalid, seconds.'),
};

const fieldPath = z.string().superRefine((text, context) => {
  const parsed = parseFieldPath(text);
  if ('fault' in parsed) context.addIssue({ code: 'custom', message: parsed.fault });
});

export const vectorFeature = z.strictObject({
  kind: z.literal('vector'),
  ...featureBase,
  field: z
    .union([fieldPath, z.array(fieldPath).min(1)])
    .optional()
    .describe('Where the numbers lie: "wrench.force", "position[name=joint1..joint7]"; a list concatenates.'),
  transform: z
    .strictObject({
      target: z.string().min(1).describe('Frame that the pose is given in: "base_link".'),
      source: z.string().min(1).describe('Frame that is placed: "tool0".'),
      static: z.string().optional().describe('Name of the stream of frames that never move, "/tf_static".'),
    })
    .optional()
    .describe(
      'Instead of a field: target-from-source by the transforms of the stream, "/tf"; x, y, z in metres and a quaternion ' +
        'x, y, z, w, or its other form.',
    ),
  dtype: z.enum(['float32', 'float64', 'int64', 'int16', 'uint16', 'uint8', 'bool']).default('float32'),
  shape: z
    .array(z.int().positive())
    .min(1)
    .describe('Shape of one value, row-major; with align: window the slots come first, as [17, 6].'),
  names: z.array(z.string()).optional().describe('Name of each element, for a shape of one dimension.'),
  unit: z.string().optional().describe('SI unit of every element: "rad", "m", "N".'),
  sourceUnit: z
    .enum(UNIT_NAMES)
    .optional()
    .describe(
      'Unit that the messages have, where it is another: "deg", "mm". Rotations are left as they are.',
    ),
  normalize: z
    .tuple([z.number(), z.number()])
    .optional()
    .describe(
      'What becomes 0 and what 1, in "unit": [0, 0.08] for a gripper that opens by 8 cm. Nothing is clamped.',
    ),
  derive: z
    .enum(['next', 'delta', 'velocity'])
    .optional()
    .describe(
      'next: the value at the next tick. delta: the next tick minus this one, of poses x, y, z and a rotation vector in ' +
        'the target frame. velocity: per second since the tick before.',
    ),
  actionSpace: z
    .enum(['abs_pos', 'delta_pos', 'vel', 'torque', 'ee_abs', 'ee_delta'])
    .optional()
    .describe('What an action means; stored in the manifest.'),
  rotation: z
    .enum(['rotation6d', 'rotvec', 'rpy', 'matrix'])
    .optional()
    .describe(
      'What each quaternion becomes: first two rows of the matrix, axis times angle, roll, pitch and yaw, or all ' +
        'rows of the matrix; with "transform", "matrix" is the 4 by 4 matrix of the pose.',
    ),
  packed: z
    .literal('int16')
    .optional()
    .describe(
      'What the bytes of the field are: little-endian 16-bit samples, as PCM audio has them. With "align: window" the ' +
        'chunks since the tick before, with "normalize: [0, 32768]" between -1 and 1.',
    ),
  intrinsicsOf: z
    .string()
    .optional()
    .describe(
      'For field "k" of a sensor_msgs/msg/CameraInfo: the picture whose cropping and resizing it follows.',
    ),
});

/** How a picture comes to its size. */
const pictureSize = {
  width: z.int().positive().describe('Pixels after resizing.'),
  height: z.int().positive().describe('Pixels after resizing.'),
  fit: z
    .enum(['stretch', 'letterbox', 'crop'])
    .default('stretch')
    .describe('How a picture of another aspect ratio is brought to size.'),
  crop: z
    .strictObject({
      x: z.int().nonnegative(),
      y: z.int().nonnegative(),
      width: z.int().positive(),
      height: z.int().positive(),
    })
    .optional()
    .describe("Part of the camera's picture that is taken before resizing, pixels from its top left."),
};

const causalOrNearest = z.enum(['hold', 'nearest']).default('hold');

export const imageFeature = z.strictObject({
  kind: z.literal('image'),
  ...featureBase,
  align: causalOrNearest,
  ...pictureSize,
  colorOrder: z
    .enum(['rgb', 'bgr'])
    .default('rgb')
    .describe('bgr: red and blue swapped, for a trainer that wants it or a driver that names them wrongly.'),
  at: z
    .enum(['tick', 'goal'])
    .default('tick')
    .describe('goal: at every tick the picture of the last frame, or of the mark "goal" where there is one.'),
  video: z
    .enum(['copy', 'encode'])
    .default('copy')
    .describe(
      'Of CompressedVideo, for formats that store video. copy: pictures are taken over as they are in every episode whose ' +
        'frames show each of them once. encode: all are encoded anew, with a keyframe every second frame, which is ' +
        'quicker to read at random.',
    ),
});

export const depthFeature = z.strictObject({
  kind: z.literal('depth'),
  ...featureBase,
  align: causalOrNearest,
  ...pictureSize,
  unit: z
    .enum(['m', 'mm'])
    .default('m')
    .describe('m: float32, NaN where nothing was measured. mm: uint16, 0 where nothing was measured.'),
  sourceUnit: z
    .enum(['m', 'mm'])
    .optional()
    .describe('Unit that the messages have; absent: mm for 16UC1 and m for 32FC1, as REP 118 says.'),
});

export const pointsFeature = z.strictObject({
  kind: z.literal('points'),
  ...featureBase,
  align: causalOrNearest,
  count: z.int().positive().describe('Points of every frame; of more, as many are drawn evenly.'),
  fields: z
    .array(z.string().min(1))
    .min(1)
    .default(['x', 'y', 'z'])
    .describe(
      'Numbers of each point: fields of the cloud, "r", "g", "b" of a packed "rgb", and "real": 1 for a measured ' +
        'point, 0 where the cloud had too few. Other numbers of those are NaN.',
    ),
  within: z
    .record(z.string(), z.tuple([z.number(), z.number()]))
    .default({})
    .describe(
      'Which points count, by field or by "distance" from the sensor: { z: [0.2, 1.5] }, ends included.',
    ),
  seed: z.int().default(0).describe('Another seed draws other points.'),
});

export const textFeature = z.strictObject({
  kind: z.literal('text'),
  ...featureBase,
  align: causalOrNearest,
  field: fieldPath.default('data').describe('Where the text lies.'),
});

export const outcomeFeature = z.strictObject({
  kind: z.literal('outcome'),
  value: z
    .enum(['reward', 'done', 'success', 'return'])
    .describe(
      'From the label of the episode: reward is 1 at the last frame of a success, else 0. done is true at the last ' +
        'frame. success is true or false at all. return is the discounted sum of all rewards to come.',
    ),
  discount: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Of "return": what a reward one frame later is worth.'),
});

/** Position and rotation of a transform, in the form that its feature asks for. */
function poseShape({ derive, rotation }: z.infer<typeof vectorFeature>): readonly number[] {
  if (derive === 'delta') return [6];
  if (rotation === 'matrix') return [4, 4];
  return [3 + (rotation ? { rotation6d: 6, rotvec: 3, rpy: 3 }[rotation] : 4)];
}

/** Rules between the keys of one feature: the key that breaks one, and how. */
export function* vectorFaults(feature: z.infer<typeof vectorFeature>): Generator<readonly [string, string]> {
  const { align: policy, dtype, shape, names, unit, sourceUnit, rotation, field, transform } = feature;
  const { derive, normalize, intrinsicsOf } = feature;
  if ((field === undefined) === (transform === undefined)) {
    yield [field ? 'transform' : 'field', 'needs either "field" or "transform", one of them'];
  }
  if (transform && policy !== 'hold' && policy !== 'nearest' && policy !== 'slerp') {
    yield ['align', `"${policy}" is not for poses; use "slerp", "hold" or "nearest"`];
  }
  if (transform) {
    const form = poseShape(feature);
    if (`${shape}` !== `${form}`) {
      yield ['shape', `this pose has the shape [${form.join(', ')}], found [${shape.join(', ')}]`];
    }
    if (!dtype.startsWith('float')) yield ['dtype', `a pose needs "float32" or "float64", found "${dtype}"`];
    if (sourceUnit) yield ['sourceUnit', 'transforms are always in metres; leave it out'];
  }
  if (names && names.length !== shape[0]) {
    yield ['names', `must hold one name per element: shape says ${shape[0]}, found ${names.length}`];
  }
  const needsReal = policy === 'linear' || policy === 'slerp' || policy === 'window';
  if (needsReal && !dtype.startsWith('float')) {
    const makes = policy === 'window' ? 'slots without a value' : 'numbers between two values';
    yield ['align', `"${policy}" makes ${makes}, which dtype "${dtype}" cannot hold; use dtype "float32"`];
  }
  if (derive && policy === 'window') yield ['derive', `"${derive}" is for single values, not for windows`];
  if (derive && derive !== 'next' && (rotation || (transform && derive === 'velocity'))) {
    yield ['derive', `rotations have no difference; use "delta" with "transform" and without "rotation"`];
  }
  if (normalize && normalize[0] === normalize[1]) yield ['normalize', 'needs two different numbers'];
  if ((rotation || sourceUnit || derive || normalize) && !transform && !dtype.startsWith('float')) {
    yield ['dtype', `a conversion makes fractions, which dtype "${dtype}" cannot hold; use "float32"`];
  }
  if (intrinsicsOf !== undefined && (field !== 'k' || shape.reduce((a, b) => a * b, 1) !== 9)) {
    yield ['intrinsicsOf', 'is for the nine numbers of "field: k"; use shape [3, 3] or [9]'];
  }
  if (sourceUnit && unitFactor(sourceUnit, unit ?? '') === undefined) {
    const found = unit === undefined ? 'there is no "unit"' : `"unit" is "${unit}"`;
    yield ['sourceUnit', `numbers in "${sourceUnit}" need a "unit" that measures the same, but ${found}`];
  }
}

export const feature = z.discriminatedUnion('kind', [
  vectorFeature,
  imageFeature,
  depthFeature,
  pointsFeature,
  textFeature,
  outcomeFeature,
]);
