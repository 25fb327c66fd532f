import { encodeJpeg } from '../../schemas/image-codec.ts';
import type { MessageValue } from '../../schemas/message.ts';
import type { Stamp } from '../../schemas/time.ts';
import type { PictureFault } from './faults.ts';
import { distortPicture } from './picture-faults.ts';
import { Random } from './random.ts';
import { type Intrinsics, principalPoint } from './rasteriser.ts';
import { Renderer, type Scene } from './renderer.ts';
import type { WorldOptions } from './world-options.ts';

export type CameraName = 'front' | 'wrist';

const SIZE = { width: 320, height: 240 } as const;
/**
 * Of pictures at their usual size. Focal lengths: the front camera sees the whole arm, the wrist camera the fingers
 * and what they reach.
 */
export const INTRINSICS: Readonly<Record<CameraName, Intrinsics>> = {
  front: { ...SIZE, focal: 290 },
  wrist: { ...SIZE, focal: 225 },
};
const QUALITY = 88;
/** Standard deviation of a pixel's noise, of 255: no two pictures of a real camera are alike. */
const NOISE = 1.6;
/** Long enough that its repeats cannot be seen. */
const NOISE_LENGTH = 1 << 16;

/** One simulated camera: renders the scene of its exposure, adds its noise, compresses. */
export class Camera {
  readonly #name: CameraName;
  readonly #intrinsics: Intrinsics;
  readonly #renderer: Renderer;
  readonly #random: Random;
  readonly #noise: Int8Array;
  #last: Promise<Uint8Array> | undefined;

  constructor(name: CameraName, { seed, pictureScale = 1 }: Pick<WorldOptions, 'seed' | 'pictureScale'>) {
    const { width, height, focal } = INTRINSICS[name];
    this.#name = name;
    this.#intrinsics = {
      width: width * pictureScale,
      height: height * pictureScale,
      focal: focal * pictureScale,
    };
    this.#renderer = new Renderer(this.#intrinsics);
    this.#random = new Random(`${seed}/camera/${name}`);
    this.#noise = Int8Array.from({ length: NOISE_LENGTH }, () => Math.round(this.#random.normal() * NOISE));
  }

  get frame(): string {
    return `camera_${this.#name}_optical_frame`;
  }

  /**
   * sensor_msgs/msg/CompressedImage.
   *
   * @param place the camera that the scene is seen from and through, another one where the two are swapped.
   */
  async image(
    stamp: Stamp,
    { scene, place }: { readonly scene: Scene; readonly place: Camera },
    faults: readonly PictureFault[],
  ): Promise<MessageValue> {
    const offset = Math.floor(this.#random.next() * NOISE_LENGTH);
    const isFrozen = faults.some(({ kind }) => kind === 'frozen-camera');
    if (!isFrozen || !this.#last) this.#last = this.#expose(place.#renderer.render(scene), offset, faults);
    return { header: { stamp, frame_id: this.frame }, format: 'jpeg', data: await this.#last };
  }

  /** sensor_msgs/msg/CameraInfo of an undistorted picture. */
  info(stamp: Stamp): MessageValue {
    const { width, height, focal } = this.#intrinsics;
    const [cx, cy] = principalPoint(this.#intrinsics);
    return {
      header: { stamp, frame_id: this.frame },
      ...{ height, width, distortion_model: 'plumb_bob', d: [0, 0, 0, 0, 0] },
      k: [focal, 0, cx, 0, focal, cy, 0, 0, 1],
      r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      p: [focal, 0, cx, 0, 0, focal, cy, 0, 0, 0, 1, 0],
      ...{ binning_x: 0, binning_y: 0 },
      roi: { x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false },
    };
  }

  async #expose(
    rendered: ReturnType<Renderer['render']>,
    noiseOffset: number,
    faults: readonly PictureFault[],
  ): Promise<Uint8Array> {
    const pixels = rendered.resolve(this.#noise, noiseOffset);
    const { width, height } = this.#intrinsics;
    const picture = distortPicture({ pixels: new Uint8Array(pixels.buffer), width, height }, faults);
    const squeezed = faults.find((fault) => fault.kind === 'squeezed-picture');
    const jpeg = await encodeJpeg(picture, squeezed?.quality ?? QUALITY);
    return faults.some(({ kind }) => kind === 'cut-picture') ? jpeg.subarray(0, jpeg.length >> 1) : jpeg;
  }
}
