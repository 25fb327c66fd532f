import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { MissingFeatureError } from '../schemas/errors.ts';
import type { RgbImage } from '../schemas/image-codec.ts';
import { nodeAvDecoder } from './video-node-av.ts';
import type { VideoCodec } from './video-packets.ts';

/** What is asked of the decoding process for each packet, and what it answers; see `video-node-av-process.ts`. */
const ANSWERED = 1;
const FIRST = 2;
const WITHOUT_PIXELS = 4;
const HEADER_BYTES = 12;
const SPENT = 1;
const DAMAGED = 2;

/** What became of a packet. */
export interface DecodedVideo {
  /** Whether it and all that it builds on decoded without a fault that the decoder noticed. */
  readonly isWhole: boolean;
  /** Undefined where it does not decode; without pixels where these are not wanted. */
  readonly picture: RgbImage | undefined;
}

export interface DecodeOptions {
  /** Whether the first packet is a keyframe, to begin anew with. */
  readonly isStart: boolean;
  /** Whether pixels are wanted. @default true */
  readonly isWanted?: boolean;
}

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
   * @returns what became of the last packet.
   * @throws {RangeError} when the process ended.
   */
  async decode(
    packets: readonly Uint8Array[],
    { isStart, isWanted = true }: DecodeOptions,
  ): Promise<DecodedVideo> {
    for (const [i, packet] of packets.entries()) {
      const header = Buffer.alloc(5);
      header.writeUInt32LE(packet.byteLength);
      const asked = i === packets.length - 1 ? ANSWERED | (isWanted ? 0 : WITHOUT_PIXELS) : 0;
      header[4] = asked | (i === 0 && isStart ? FIRST : 0);
      this.#child.stdin.write(header);
      if (!this.#child.stdin.write(packet))
        await Promise.race([once(this.#child.stdin, 'drain'), this.#ended()]);
    }
    const header = await this.#read(HEADER_BYTES);
    const [width = 0, height = 0, state = 0] = [0, 4, 8].map((at) => header.readUInt32LE(at));
    this.#needsStart = (state & SPENT) !== 0;
    const isWhole = (state & DAMAGED) === 0;
    if (!width || !height) return { isWhole, picture: undefined };
    const pixels = new Uint8Array(await this.#read(isWanted ? width * height * 3 : 0));
    return { isWhole, picture: { pixels, width, height } };
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
