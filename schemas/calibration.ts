import { digestText, z } from './validation.ts';

/** Beside the contract or the library: what one rig is like when nothing touches it. */
export const CALIBRATION_SUFFIX = '.calibration.json';

const number = z.number();

const wrenchSchema = z.strictObject({
  /** 1.4826 · MAD(ΔF) / √2 per axis; newtons, then newton metres. */
  noise: z.array(number),
  /** 99th percentile of ‖F − baseline‖, newtons: contact begins at twice of it. */
  r99: number,
  /** Median of force and torque before the first motion, with the joints as in `home`. */
  rest: z.array(number).optional(),
});

/** Made by `kinescribe calibrate` from an episode in which the robot moves and touches nothing. */
export const calibrationSchema = z.strictObject({
  kinescribe: z.literal(1),
  robot: z.string(),
  /** Of the episode it was made from. */
  episodeDigest: digestText,
  /** RFC 3339. */
  time: z.iso.datetime(),
  /** By stream of forces. */
  wrenches: z.record(z.string(), wrenchSchema),
  /** By camera: median sharpness, variance of the Laplacian at 320 pixels' width, and dHash-64 of pictures. */
  cameras: z.record(
    z.string(),
    z.strictObject({
      sharpness: number,
      hashes: z.array(z.string().regex(/^[0-9a-f]{16}$/)),
      /** Brightness of the first picture at 256 × 128, base64: where a still camera looks. */
      view: z.base64().optional(),
    }),
  ),
  /** By stream of joints: position of each joint at rest at the start, radians or metres. */
  home: z.record(z.string(), z.record(z.string(), number)),
  /** By stream of commands: how long the state follows it, seconds. */
  commandLagSecs: z.record(z.string(), number),
});

export type Calibration = Readonly<z.infer<typeof calibrationSchema>>;
