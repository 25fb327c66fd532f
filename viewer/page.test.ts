import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEncoder } from '../schemas/message-codec.ts';
import { CHROMIUM, launchChromium } from './chromium.fixture.ts';
import { every, type FixtureEpisode, fixtureEpisode } from './episode.fixture.ts';
import { ensurePage } from './page-build.ts';
import { type ReplayServer, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';
import { GREY_STEP, PERIOD_MILLIS, timedEpisode } from './timed-episode.fixture.ts';

const NUMBER = { name: 'std_msgs/msg/Float64', encoding: 'ros2msg', data: Buffer.from('float64 data\n') };
const encodeNumber = createEncoder('/fast', NUMBER);
/** A browser on a busy machine takes its time. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000 });
const canRun = CHROMIUM !== undefined && (await ensurePage());

describe.skipIf(!canRun)('the replay page (skipped without Chromium or Vite)', () => {
  let episode: FixtureEpisode;
  let server: ReplayServer;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    episode = await fixtureEpisode(...(await timedEpisode()));
    server = await startReplayServer(await EpisodeShelf.of([episode.directory]), { port: 0 });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await episode[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await page.goto(`http://127.0.0.1:${server.address.port}/`);
    await page.getByRole('img', { name: 'Camera /camera' }).waitFor();
    await page.locator('.plot').first().waitFor();
  });

  /** Milliseconds that the picture on screen carries. */
  const pictureMillis = async () => {
    const grey = Number(
      await page.evaluate(
        `document.querySelector('.camera canvas').getContext('2d').getImageData(8, 8, 1, 1).data[0]`,
      ),
    );
    return Math.round(grey / GREY_STEP) * PERIOD_MILLIS;
  };
  const clockMillis = async () => {
    const [, minutes, secs] = /(\d+):([\d.]+)/.exec((await page.locator('.clock').textContent()) ?? '') ?? [];
    return 1000 * (60 * Number(minutes) + Number(secs));
  };
  const seekTo = async (share: number) => {
    const box = (await page.getByRole('slider').boundingBox())!;
    await page.mouse.click(box.x + box.width * share, box.y + 5);
  };

  test('tells what the episode is and what is missing', async () => {
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('lift the cube');
    const mark = page.getByRole('button', { name: /20 messages missing from 0:00.40 to 0:00.60/ });
    const box = (await mark.boundingBox())!;
    const track = (await page.getByRole('slider').boundingBox())!;
    expect((box.x - track.x) / track.width).toBeCloseTo(0.4, 1);
    expect(box.width / track.width).toBeCloseTo(0.2, 1);
    await mark.hover();
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector('.loss-mark'), '::after').display`),
    ).toBe('block');
  });

  test.each([0.1, 0.73, 0.31])(
    'shows picture and value of the same instant after a seek to %d',
    async (share) => {
      await seekTo(share);
      const expected = Math.floor((share * 990) / PERIOD_MILLIS) * PERIOD_MILLIS;
      await eventually(pictureMillis).toBeCloseTo(expected, -1.7);
      const value = Number(await page.locator('.plot output').first().textContent());
      expect(Math.abs(1000 * value - share * 990)).toBeLessThan(12);
      expect(Math.abs((await clockMillis()) - share * 990)).toBeLessThanOrEqual(26); // shown in twentieths
    },
  );

  test('shows no value and says that the picture is old where messages are missing', async () => {
    await seekTo(0.55);
    await eventually(() => page.locator('.plot output').first().textContent()).toBe('–');
    await page.getByText('no picture for 0.1 s').waitFor();
  });

  test('plays to the end by the space bar, pauses, steps by the arrows', async () => {
    await page.keyboard.press('Home');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByRole('button', { name: 'Play' }).waitFor(); // the end is reached by itself
    expect(await clockMillis()).toBeCloseTo(1000, -2);
    await eventually(pictureMillis).toBe(29 * PERIOD_MILLIS);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await eventually(pictureMillis).toBe(2 * PERIOD_MILLIS);
  });

  test('draws the tactile array', async () => {
    await page.keyboard.press('End');
    await page.getByRole('img', { name: 'tactile · pressure: largest value 0.990' }).waitFor();
  });

  test('reads IDL definitions, and says of which streams it draws nothing, and why', async () => {
    await seekTo(0.31);
    const warmth = page.locator('.plot', { hasText: '/warmth' }).locator('output');
    await eventually(async () => Math.abs(Number(await warmth.textContent()) - 30.7)).toBeLessThan(1.2);
    await page.getByText('1 stream is recorded but not drawn here').click();
    await page.getByText('/wire: the page does not read protobuf messages').waitFor();
  });

  test('shows the value of the instant itself where a plot is thinned out', async () => {
    const rateHz = 20_000;
    await using fast = await fixtureEpisode({
      '/fast': {
        atMillis: every(1000 / rateHz, 0, 1000),
        messageEncoding: 'cdr',
        schema: NUMBER,
        payload: (n) => encodeNumber({ data: n }),
      },
    });
    const served = await startReplayServer(await EpisodeShelf.of([fast.directory]), { port: 0 });
    for (const secs of [0.2, 0.61803, 0.9]) {
      await page.goto(`${served.url('/')}?t=${secs}`);
      const value = page.locator('.plot output').first();
      await eventually(async () => Number(await value.textContent())).toBeCloseTo(secs * rateHz, -0.5);
    }
    await page.goto('about:blank');
    await served.close();
  });

  test('turns the robot with its joints', async () => {
    const robot = page.getByRole('img', { name: 'Robot in 3D' });
    const pictureAt = async (share: number) => {
      await seekTo(share);
      await eventually(async () => Math.abs((await clockMillis()) - share * 990)).toBeLessThanOrEqual(26);
      await page.waitForTimeout(300); // the picture follows the clock
      return (await robot.screenshot()).toString('base64');
    };
    const early = await pictureAt(0.1);
    expect(await pictureAt(0.9)).not.toBe(early);
    await eventually(() => pictureAt(0.1)).toBe(early);
  });

  test('loads nothing from elsewhere and reports no fault', async () => {
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).hostname));
    await page.reload();
    await page.locator('.plot').first().waitFor();
    expect([...hosts]).toEqual(['127.0.0.1']);
    expect(faults).toEqual([]);
  });
});
