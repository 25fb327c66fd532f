import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decoder, Demuxer, Frame, SoftwareScaleContext } from 'node-av';
import { AV_PIX_FMT_RGB24 } from 'node-av/constants';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MissingFeatureError } from '../schemas/errors.ts';
import { joinVideos } from './mp4-joiner.ts';
import { readMp4 } from './mp4-reader.ts';
import { findVideoBackend } from './video-backend.ts';
import { type VideoBackend, VideoEncoder } from './video-encoder.ts';
import { timescaleOf } from './video-encoding.ts';
import { ffmpegEncoders, ffmpegWith } from './video-ffmpeg.ts';
import { nodeAvBackend } from './video-node-av.ts';

const SETTINGS = { width: 96, height: 64, fps: 25 };
const encoders = await ffmpegEncoders();
const backends: readonly { name: string; backend: VideoBackend | undefined }[] = [
  ...(['libsvtav1', 'libx264'] as const).map((encoder) => ({
    name: `ffmpeg-${encoder}`,
    backend: encoders.includes(encoder) ? ffmpegWith(encoder) : undefined,
  })),
  { name: 'node-av', backend: await nodeAvBackend() },
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'video-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe.each(backends)('VideoEncoder by $name', ({ name, backend }) => {
  beforeEach(({ skip }) => skip(!backend, `${name} is not on this machine`));

  const encode = async (file: string, pictures: readonly Uint8Array[]) => {
    const encoder = new VideoEncoder(backend!, join(directory, file), SETTINGS);
    for (const picture of pictures) await encoder.write(picture);
    await encoder.finish();
    return readMp4(join(directory, file));
  };

  it('keeps every frame, on an exact grid that begins at 0', async () => {
    const video = await encode(`${name}-grid.mp4`, pictures(0, 31));
    expect(video.sizes).toHaveLength(31);
    expect(video.timescale).toBe(timescaleOf(25));
    expect(new Set(video.durations)).toEqual(new Set([512]));
    expect(video).toMatchObject({ width: 96, height: 64, startTicks: 0, presentationOrder: true });
    expect([...video.keyframes!]).toEqual(Array.from({ length: 16 }, (_, i) => 2 * i));
  });

  it('gives back the pictures and their times', async () => {
    const source = pictures(3, 9);
    const { file } = await encode(`${name}-pictures.mp4`, source);
    const decoded = await decode(file);
    expect(decoded.map(({ seconds }) => seconds)).toEqual(source.map((_, i) => i / 25));
    for (const [i, { pixels }] of decoded.entries()) expect(meanDistance(pixels, source[i]!)).toBeLessThan(4);
  });

  it('gives the same bytes for the same pictures', async () => {
    await encode(`${name}-a.mp4`, pictures(0, 12));
    await encode(`${name}-b.mp4`, pictures(0, 12));
    expect(await readFile(join(directory, `${name}-a.mp4`))).toEqual(
      await readFile(join(directory, `${name}-b.mp4`)),
    );
  });

  it('gives the same bytes with however many threads', async () => {
    const settings = { width: 320, height: 240, fps: 25 };
    const source = pictures(0, 24, settings);
    const [first, ...others] = await Promise.all(
      [1, 2, 64].map(async (threads) => {
        const file = join(directory, `${name}-${threads}-threads.mp4`);
        const encoder = new VideoEncoder(backend!, file, { ...settings, threads });
        for (const picture of source) await encoder.write(picture);
        await encoder.finish();
        return readFile(file);
      }),
    );
    for (const other of others) expect(other).toEqual(first);
  });

  it('joins to one file that decodes like its parts', async () => {
    const parts = [
      await encode(`${name}-1.mp4`, pictures(0, 7)),
      await encode(`${name}-2.mp4`, pictures(7, 1)),
      await encode(`${name}-3.mp4`, pictures(8, 4)),
    ];
    const file = join(directory, `${name}-joined.mp4`);
    await joinVideos(parts, file);
    const joined = await readMp4(file);
    expect(joined.sizes).toHaveLength(12);
    expect(joined).toMatchObject({ indexFirst: true, startTicks: 0, timescale: timescaleOf(25) });
    expect([...joined.keyframes!]).toEqual([0, 2, 4, 6, 7, 8, 10]);
    const decoded = await decode(file);
    const separate = await Promise.all(parts.map((part) => decode(part.file)));
    expect(decoded.map(({ seconds }) => seconds)).toEqual(decoded.map((_, i) => i / 25));
    expect(decoded.map(({ pixels }) => pixels)).toEqual(separate.flat().map(({ pixels }) => pixels));
  });

  it('tells what the encoder said when it cannot write', async () => {
    const encoder = new VideoEncoder(backend!, directory, SETTINGS);
    const failing = (async () => {
      for (const picture of pictures(0, 500)) await encoder.write(picture);
      await encoder.finish();
    })();
    await expect(failing).rejects.toThrow(
      new RegExp(`Cannot encode "${directory}" with ${backend!.name}[^]*Is a directory`, 'i'),
    );
  });

  it('abort() ends the process', async () => {
    const encoder = new VideoEncoder(backend!, join(directory, `${name}-aborted.mp4`), SETTINGS);
    await encoder.write(pictures(0, 1)[0]!);
    await encoder.abort();
    await expect(encoder.finish()).rejects.toThrow('it was ended by SIGKILL');
  });
});

describe('findVideoBackend()', () => {
  it('prefers node-av, which a clone has as a development dependency', async () => {
    expect(await findVideoBackend()).toMatchObject({ name: 'node-av', encoder: 'libsvtav1' });
  });
});

describe('findVideoBackend() without a program', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('says what to install', async () => {
    vi.stubEnv('PATH', directory);
    const missing = findVideoBackend('ffmpeg');
    await expect(missing).rejects.toThrow(MissingFeatureError);
    await expect(missing).rejects.toThrow('found no "ffmpeg". Install one: "npm install node-av"');
  });
});

describe('VideoEncoder', () => {
  const backend = (...command: [string, ...string[]]): VideoBackend => ({
    name: 'ffmpeg',
    encoder: 'libsvtav1',
    command: () => command,
  });

  it('refuses a picture of another size', async () => {
    const encoder = new VideoEncoder(backend('cat'), 'x.mp4', SETTINGS);
    await expect(encoder.write(new Uint8Array(5))).rejects.toThrow('has 18432 bytes, not 5');
    await encoder.finish();
  });

  it('names a program that does not start', async () => {
    const encoder = new VideoEncoder(backend('no-such-encoder'), 'x.mp4', SETTINGS);
    await expect(encoder.finish()).rejects.toThrow(
      'Cannot encode "x.mp4" with ffmpeg: the process did not start',
    );
  });

  it('takes an early end for a failure, even with code 0', async () => {
    const encoder = new VideoEncoder(backend('true'), 'x.mp4', SETTINGS);
    const failing = (async () => {
      for (const picture of pictures(0, 100)) await encoder.write(picture);
    })();
    await expect(failing).rejects.toThrow('it ended with code 0');
  });

  it('waits for an encoder that does not read', async () => {
    const encoder = new VideoEncoder(backend('sleep', '60'), 'x.mp4', { width: 640, height: 480, fps: 25 });
    const picture = new Uint8Array(640 * 480 * 3);
    await encoder.write(picture);
    const second = encoder.write(picture).then(() => 'taken');
    const pause = new Promise((resolve) => setTimeout(resolve, 50, 'waiting'));
    expect(await Promise.race([second, pause])).toBe('waiting');
    second.catch(() => {});
    await encoder.abort();
    await expect(second).rejects.toThrow('SIGKILL');
  });
});

/** Red grows to the right, green downwards, and a blue block moves with every frame. */
function pictures(first: number, count: number, { width, height } = SETTINGS): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const pixels = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const blue = x >> 4 === (first + i) % 6 && y >> 4 === 1 ? 200 : 20;
        pixels.set([40 + 2 * x, 40 + 2 * y, blue], (y * width + x) * 3);
      }
    }
    return pixels;
  });
}

function meanDistance(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

/** Frames of a video as an independent reader shows them. */
async function decode(file: string): Promise<{ seconds: number; pixels: Uint8Array }[]> {
  await using demuxer = await Demuxer.open(file);
  const stream = demuxer.video()!;
  using decoder = await Decoder.create(stream);
  using scaler = new SoftwareScaleContext();
  scaler.allocContext();
  const frames: { seconds: number; pixels: Uint8Array }[] = [];
  for await (const frame of decoder.frames(demuxer.packets(stream.index))) {
    if (!frame) continue;
    const { width, height } = frame;
    using rgb = new Frame();
    rgb.alloc();
    Object.assign(rgb, { width, height, format: AV_PIX_FMT_RGB24 });
    rgb.getBuffer();
    scaler.scaleFrameSync(rgb, frame);
    const seconds = (Number(frame.pts) * stream.timeBase.num) / stream.timeBase.den;
    frames.push({ seconds, pixels: Uint8Array.from(rgb.toBuffer()) });
    frame.free();
  }
  return frames;
}
