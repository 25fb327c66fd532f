import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { ConvertError } from '../schemas/errors.ts';

export interface VideoSettings {
  /** Even, pixels. */
  readonly width: number;
  /** Even, pixels. */
  readonly height: number;
  /** Frames per second, a whole number. */
  readonly fps: number;
  /** Cores that the encoder keeps busy; the bytes do not depend on it. @default all, by the encoder's own choice */
  readonly threads?: number;
}

/** A way to make video on this machine. */
export interface VideoBackend {
  readonly name: VideoBackendName;
  readonly encoder: 'libsvtav1' | 'libx264';
  /**
   * The process that reads raw pictures, [height, width, 3] uint8 RGB, from its standard input until its
   * end and writes them as an mp4 file with one video track: yuv420p, constant frame rate, presentation
   * order, first frame at 0, a time scale of `timescaleOf(fps)`. The same pictures give the same samples.
   */
  command(file: string, settings: VideoSettings): readonly [command: string, ...args: string[]];
}

export type VideoBackendName = 'ffmpeg' | 'node-av';

/** Enough of the encoder's own words to act on, without a whole log in the message. */
const KEPT_STDERR = 4096;

/**
 * Encodes the pictures of one camera during one episode into one mp4 file. The encoder is a process of its
 * own: raw pictures in at its standard input, the file out.
 */
export class VideoEncoder {
  readonly backend: VideoBackend;
  readonly #child: ChildProcessByStdio<Writable, null, Readable>;
  readonly #ended: Promise<void>;
  readonly #settings: VideoSettings;
  #writing: Promise<void> = Promise.resolve();
  #stderr = '';
  #frames = 0;

  constructor(backend: VideoBackend, file: string, settings: VideoSettings) {
    this.backend = backend;
    this.#settings = settings;
    const [command, ...args] = backend.command(file, settings);
    // SVT-AV1 greets at length unless told to speak of errors only.
    const env = { ...process.env, SVT_LOG: '1' };
    this.#child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'], env });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    });
    // A broken pipe is the shadow of a process that died; its end tells more.
    this.#child.stdin.on('error', () => {});
    this.#ended = this.#end(`Cannot encode "${file}" with ${backend.name}`);
    this.#ended.catch(() => {});
  }

  /** Pictures taken so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Resolves when the encoder has got the picture that was taken last; never if it fails before. */
  get written(): Promise<void> {
    return this.#writing;
  }

  /**
   * Takes one picture; resolves when there is room for the next.
   *
   * @param pixels [height, width, 3] uint8 RGB, row-major; must not change until it is written.
   * @throws {ConvertError} when the encoder has failed; the message holds its own words.
   */
  async write(pixels: Uint8Array): Promise<void> {
    const { width, height } = this.#settings;
    if (pixels.length !== width * height * 3) {
      throw new RangeError(
        `a picture of ${width} × ${height} has ${width * height * 3} bytes, not ${pixels.length}`,
      );
    }
    await Promise.race([this.#writing, this.#ended]);
    this.#frames++;
    this.#writing = new Promise((resolve) => {
      // A write fails because the process died; then `ended` speaks.
      this.#child.stdin.write(pixels, (error) => error ?? resolve());
    });
  }

  /** Completes the file. @throws {ConvertError} when the encoder failed. */
  async finish(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  /** Ends the process at once and waits until it is gone; the file stays half written. */
  async abort(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.catch(() => {});
  }

  async #end(action: string): Promise<void> {
    try {
      const [code, signal] = await once(this.#child, 'close');
      if (code === 0 && this.#child.stdin.writableEnded) return;
      const ending = signal ? `it was ended by ${signal}` : `it ended with code ${code}`;
      throw new ConvertError(`${action}: ${ending}. It said: ${this.#stderr.trim() || '(nothing)'}`);
    } catch (cause) {
      if (cause instanceof ConvertError) throw cause;
      throw new ConvertError(`${action}: the process did not start.`, { cause });
    }
  }
}
