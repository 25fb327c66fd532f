import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { MissingFeatureError } from '../schemas/errors.ts';
import type { RgbImage } from '../schemas/image-codec.ts';
import { nodeAvDecoder } from './video-node-av.ts';
import type { VideoCodec } from './video-packets.ts';

/** What is asked of the decoding process for each packet, and what it answers; see `video-node-av-process.ts`. */
const WANTED = 1;
const FIRST = 2;
const HEADER_BYTES = 12;

/**
 * Decodes a stream of video in a process of its own, picture by picture. Only node-av can: the command ffmpeg gives
 * no picture before it has seen what follows.
 */
export class VideoDecoder {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #replies: AsyncIterator<Buffer>;
  #received: Buffer = Buffer.alloc(0);
  #needsStart = true;

  private constructor(command: readonly [string, ...string[]]) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    // A broken pipe is the shadow of a process that died; the end of its answers tells.
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', () => {});
    this.#replies = this.#child.stdout[Symbol.asyncIterator]();
  }

  /** @throws {MissingFeatureError} when the package is not installed. */
  static async open(codec: VideoCodec): Promise<VideoDecoder> {
    const command = await nodeAvDecoder(codec);
    if (command) return new VideoDecoder(command);
    throw new MissingFeatureError(
      `Cannot decode ${codec} video: the package node-av is not installed. Run "npm install node-av".`,
    );
  }

  /** Whether the next packets must begin with a keyframe. */
  get needsStart(): boolean {
    return this.#needsStart;
  }

  /**
   * Decodes packets that follow those before, or begin anew with a keyframe; one call at a time.
   *
   * @returns the picture of the last packet.
   * @throws {RangeError} when it does not decode.
   */
  async decode(packets: readonly Uint8Array[], { isStart }: { isStart: boolean }): Promise<RgbImage> {
    for (const [i, packet] of packets.entries()) {
      const header = Buffer.alloc(5);
      header.writeUInt32LE(packet.byteLength);
      header[4] = (i === packets.length - 1 ? WANTED : 0) | (i === 0 && isStart ? FIRST : 0);
      this.#child.stdin.write(header);
      if (!this.#child.stdin.write(packet))
        await Promise.race([once(this.#child.stdin, 'drain'), this.#ended()]);
    }
    const header = await this.#read(HEADER_BYTES);
    const [width, height, isSpent] = [0, 4, 8].map((at) => header.readUInt32LE(at));
    this.#needsStart = isSpent === 1;
    if (!width || !height) throw new RangeError('the video does not decode');
    return { pixels: new Uint8Array(await this.#read(width * height * 3)), width, height };
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ended(): Promise<void> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  async #read(bytes: number): Promise<Buffer> {
    const parts = [this.#received];
    let length = this.#received.length;
    while (length < bytes) {
      const { value, done } = await this.#replies.next();
      if (done) throw new RangeError('the decoder ended');
      parts.push(value);
      length += value.length;
    }
    const all = Buffer.concat(parts);
    this.#received = all.subarray(bytes);
    return all.subarray(0, bytes);
  }
}
