import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { MessageError } from '../schemas/errors.ts';
import { decodeRgb, encodeJpeg, type RgbImage } from '../schemas/image-codec.ts';
import { CACHE_DIRECTORY } from '../schemas/library-index.ts';
import { Limit } from '../schemas/limit.ts';
import type { MessageValue } from '../schemas/message.ts';
import { createDecoder } from '../schemas/message-codec.ts';
import { isPicture, RAW_ENCODINGS } from './picture-types.ts';
import type { EpisodeShelf, ShelvedEpisode } from './shelf.ts';

/** A strip: this many pictures beside each other, in order of time. */
const PICTURES = 6;
const SIZE = { width: 80, height: 60, fit: 'crop' } as const;
const JPEG_QUALITY = 70;
/** Some 30,000 strips. */
const MAX_CACHE_BYTES = 128 << 20;
/** What a full cache is brought down to, so that not every new strip has to make room. */
const KEPT_SHARE = 0.8;

/**
 * Strips of pictures from an episode's first camera, made when first asked for and kept in the library's
 * `.kinescribe/thumbnails`, the oldest of which go when there are too many. The recordings are only read.
 */
export class Thumbnails {
  readonly #shelf: EpisodeShelf;
  readonly #maxCacheBytes: number;
  /** Recording and replay come first: one strip at a time. */
  readonly #limit = new Limit(1);
  /** Bytes in the cache of each folder, as far as known. */
  readonly #cached = new Map<string, number>();

  constructor(shelf: EpisodeShelf, { maxCacheBytes = MAX_CACHE_BYTES } = {}) {
    this.#shelf = shelf;
    this.#maxCacheBytes = maxCacheBytes;
  }

  /** A JPEG of the episode's strip; undefined for an episode without pictures that can be decoded. */
  strip(episode: ShelvedEpisode): Promise<Uint8Array | undefined> {
    return this.#limit.run(async () => {
      const { size, mtimeMs } = await stat(episode.file);
      const digest = createHash('sha256')
        .update(`${basename(episode.file)} ${size} ${mtimeMs}`)
        .digest('hex');
      const file = join(dirname(episode.file), CACHE_DIRECTORY, 'thumbnails', `${digest}.jpg`);
      const cached = await readFile(file).catch(() => undefined);
      if (cached) return cached.length > 0 ? cached : undefined;
      await using borrowed = await this.#shelf.borrow(episode);
      const made = await stripOf(borrowed.reader);
      if (episode.folder !== undefined) await this.#keep(file, made ?? new Uint8Array());
      return made;
    });
  }

  /** An empty file stands for an episode without pictures. */
  async #keep(file: string, strip: Uint8Array): Promise<void> {
    const directory = dirname(file);
    try {
      await mkdir(directory, { recursive: true });
      await writeFile(`${file}.part`, strip);
      await rename(`${file}.part`, file);
      const known = this.#cached.get(directory);
      const bytes = known === undefined ? (await filesOf(directory)).bytes : known + strip.length;
      this.#cached.set(directory, bytes > this.#maxCacheBytes ? await this.#shrink(directory) : bytes);
    } catch {
      // A library that may only be read has its strips made each time.
    }
  }

  async #shrink(directory: string): Promise<number> {
    const { files, bytes } = await filesOf(directory);
    let left = bytes;
    for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (left <= KEPT_SHARE * this.#maxCacheBytes) break;
      await rm(path, { force: true });
      left -= size;
    }
    return left;
  }
}

async function filesOf(directory: string) {
  const files = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      const path = join(directory, name);
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
  return { files, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** Pictures at the middles of equal parts of the episode; one that cannot be decoded leaves its place black. */
async function stripOf(reader: EpisodeReader): Promise<Uint8Array | undefined> {
  const channels = [...reader.channels.values()]
    .filter(({ id, schema }) => isPicture(schema?.name ?? '') && reader.messageCounts.get(id))
    .sort((a, b) => a.topic.localeCompare(b.topic));
  const channel = channels[0];
  if (!channel) return undefined;
  const strip = new Uint8Array(PICTURES * SIZE.width * SIZE.height * 3);
  let count = 0;
  for (let place = 0; place < PICTURES; place++) {
    const partNanos = (reader.endTime - reader.startTime) / BigInt(PICTURES);
    const time = reader.startTime + partNanos * BigInt(place) + partNanos / 2n;
    const message = (await reader.latestBefore(time, [channel.topic])).get(channel.topic);
    const picture = message && (await pictureOf(() => createDecoder(message.channel)(message.data)));
    if (!picture) continue;
    count++;
    const rowBytes = SIZE.width * 3;
    for (let y = 0; y < SIZE.height; y++) {
      strip.set(picture.pixels.subarray(y * rowBytes, (y + 1) * rowBytes), (y * PICTURES + place) * rowBytes);
    }
  }
  if (count === 0) return undefined;
  return encodeJpeg({ pixels: strip, width: PICTURES * SIZE.width, height: SIZE.height }, JPEG_QUALITY);
}

async function pictureOf(decode: () => MessageValue): Promise<RgbImage | undefined> {
  try {
    const message = decode();
    const { data, format } = message;
    if (!(data instanceof Uint8Array)) return undefined;
    return typeof format === 'string' ? await decodeRgb(data, SIZE) : sampled(message, data);
  } catch (error) {
    // Video, and whatever else no still picture decoder knows; libvips throws plain errors.
    if (error instanceof MessageError || error instanceof Error) return undefined;
    throw error;
  }
}

/** A raw picture by its nearest pixels: at this size nobody sees more. */
function sampled({ encoding, width, height, step }: MessageValue, data: Uint8Array): RgbImage | undefined {
  const places = typeof encoding === 'string' ? RAW_ENCODINGS[encoding] : undefined;
  if (!places || typeof width !== 'number' || typeof height !== 'number') return undefined;
  const [bytes, ...rgb] = places;
  const rowBytes = typeof step === 'number' && step > 0 ? step : width * bytes;
  const scale = Math.min(width / SIZE.width, height / SIZE.height);
  const [left, top] = [(width - scale * SIZE.width) / 2, (height - scale * SIZE.height) / 2];
  const pixels = new Uint8Array(SIZE.width * SIZE.height * 3);
  for (let y = 0, to = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      const row = Math.floor(top + (y + 0.5) * scale);
      const from = row * rowBytes + Math.floor(left + (x + 0.5) * scale) * bytes;
      for (const place of rgb) pixels[to++] = data[from + place] ?? 0;
    }
  }
  return { pixels, width: SIZE.width, height: SIZE.height };
}
