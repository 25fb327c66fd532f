import { link, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { EpisodeWriter } from '../schemas/episode-writer.ts';
import { encodeJpeg } from '../schemas/image-codec.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import { launchChromium } from './chromium.fixture.ts';
import { every, MILLI, START, writeFixture } from './episode.fixture.ts';
import { PAGE_DIRECTORY } from './page.ts';
import { ensurePage } from './page-build.ts';
import { startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';

/**
 * `node viewer/page.bench.ts [episodes] [minutes]`: what the page costs and how it feels. A library of many
 * small episodes, opened for the first time and again; a long episode of three cameras, scrubbed; the bundle.
 */
const EPISODES = Number(process.argv[2] ?? 10_000);
const MINUTES = Number(process.argv[3] ?? 10);
const CAMERAS = ['/left', '/right', '/wrist'];
const SCRUB_MILLIS = 5000;

const directory = await mkdtemp(join(tmpdir(), 'kinescribe-bench-'));
await ensurePage();
const browser = await launchChromium();
try {
  await bundle();
  await library(browser);
  await scrubbing(browser);
} finally {
  await browser.close();
  await rm(directory, { recursive: true });
}

function report(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(58)} ${value.toFixed(value < 10 ? 1 : 0).padStart(8)} ${unit}`);
}

async function bundle(): Promise<void> {
  const assets = new URL('assets/', PAGE_DIRECTORY);
  for (const name of (await readdir(assets)).filter((each) => /\.(js|css)$/.test(each))) {
    const content = await readFile(new URL(name, assets));
    report(
      `bundle: ${name}, gzip (plain ${Math.round(content.length / 1000)} kB)`,
      gzipSync(content).length / 1000,
      'kB',
    );
  }
}

async function library(chromium: Browser): Promise<void> {
  const many = join(directory, 'library');
  await mkdir(many);
  const seed = join(directory, 'seed.mcap');
  await writeFixture(seed, { '/joints': { atMillis: every(10, 0, 1000) } });
  for (let i = 0; i < EPISODES; i++) await link(seed, join(many, `arm-${String(i).padStart(6, '0')}.mcap`));
  for (const time of ['the first time', 'again']) {
    const server = await startReplayServer(await EpisodeShelf.of([many]), { port: 0 });
    const page = await chromium.newPage({ viewport: { width: 1400, height: 900 } });
    const start = performance.now();
    await page.goto(server.url('/'));
    await page.locator('tr[data-row]').first().waitFor();
    report(`${EPISODES} episodes, opened ${time}: rows on screen after`, performance.now() - start, 'ms');
    await page
      .getByText(new RegExp(`^${EPISODES.toLocaleString('en-US')} episodes$`))
      .waitFor({ timeout: 0 });
    report(`${EPISODES} episodes, opened ${time}: all of them known after`, performance.now() - start, 'ms');
    if (time === 'again') await searching(page);
    await page.close();
    await server.close();
  }
}

async function searching(page: Page): Promise<void> {
  const wanted = `arm-${String(EPISODES - 1).padStart(6, '0')}`;
  const start = performance.now();
  await page.getByRole('searchbox').fill(wanted);
  await page.getByRole('link', { name: wanted }).waitFor();
  report('a search to its row', performance.now() - start, 'ms');
}

async function scrubbing(chromium: Browser): Promise<void> {
  const file = join(directory, 'long.mcap');
  await writeLong(file);
  const server = await startReplayServer(await EpisodeShelf.of([file]), { port: 0 });
  const page = await chromium.newPage({ viewport: { width: 1400, height: 900 } });
  const start = performance.now();
  await page.goto(server.url('/'));
  await page.locator('.plot').first().waitFor();
  report(
    `${MINUTES} min, 3 cameras 640×480, 500 Hz joints: page drawn after`,
    performance.now() - start,
    'ms',
  );
  await page.evaluate(`{
    globalThis.drawn = 0;
    globalThis.turns = 0;
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (...args) { drawn++; return draw.apply(this, args); };
    const turn = () => { turns++; requestAnimationFrame(turn); };
    turn();
  }`);
  const box = (await page.getByRole('slider').boundingBox())!;
  await page.mouse.move(box.x, box.y + 5);
  await page.mouse.down();
  const before = performance.now();
  for (let n = 1; performance.now() - before < SCRUB_MILLIS; n++) {
    const share = (n % 200) / 200;
    await page.mouse.move(box.x + share * box.width, box.y + 5);
    await page.waitForTimeout(16);
  }
  await page.mouse.up();
  const secs = (performance.now() - before) / 1000;
  const { drawn, turns } = await page.evaluate<{ drawn: number; turns: number }>('({ drawn, turns })');
  report('scrubbing: pictures a second, per camera', drawn / CAMERAS.length / secs, 'Hz');
  report('scrubbing: the page itself', turns / secs, 'Hz');
  await page.close();
  await server.close();
}

async function writeLong(file: string): Promise<void> {
  const image = {
    name: 'sensor_msgs/msg/CompressedImage',
    encoding: 'ros2msg',
    data: Buffer.from('string format\nuint8[] data\n'),
  };
  const joints = {
    name: 'sensor_msgs/msg/JointState',
    encoding: 'ros2msg',
    data: Buffer.from('string[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort\n'),
  };
  const encodeImage = createEncoder('/camera', image);
  const encodeJoints = createEncoder('/joints', joints);
  const pictures = await Promise.all(
    Array.from({ length: 30 }, async (_, n) => {
      const pixels = new Uint8Array(640 * 480 * 3);
      for (let i = 0; i < pixels.length; i++) pixels[i] = (((i / 30) | 0) % 256) ^ (8 * n);
      return encodeImage({ format: 'jpeg', data: await encodeJpeg({ width: 640, height: 480, pixels }, 60) });
    }),
  );
  const writer = await EpisodeWriter.open(file, { compression: 'none' });
  const channel = (topic: string, schema: typeof image) =>
    writer.addChannel({ topic, messageEncoding: 'cdr', schema, metadata: new Map() });
  const cameras = CAMERAS.map((topic) => channel(topic, image));
  const arm = channel('/joints', joints);
  for (let millis = 0; millis < MINUTES * 60_000; millis += 2) {
    const logTime = START + BigInt(millis) * MILLI;
    const position = Array.from({ length: 7 }, (_, joint) => Math.sin(millis / 1000 + joint));
    const names = position.map((_, joint) => `j${joint}`);
    const data = encodeJoints({ name: names, position, velocity: [], effort: [] });
    await writer.write({ channelId: arm, sequence: millis, logTime, publishTime: logTime, data });
    if (millis % 34 !== 0) continue;
    for (const channelId of cameras) {
      const picture = pictures[(millis / 34) % pictures.length]!;
      await writer.write({ channelId, sequence: millis, logTime, publishTime: logTime, data: picture });
    }
  }
  await writer.close();
}
