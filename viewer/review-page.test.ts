import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { appendLabel, currentLabels, readLabels } from '../schemas/labels.ts';
import { findingsFileOf } from '../schemas/library-entry.ts';
import { CHROMIUM, launchChromium, seriousFaults } from './chromium.fixture.ts';
import { MILLI, START, writeFixture } from './episode.fixture.ts';
import { ensurePage } from './page-build.ts';
import { type ReplayServer, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';
import { timedEpisode } from './timed-episode.fixture.ts';

/** A browser on a busy machine takes its time. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000 });
const canRun = CHROMIUM !== undefined && (await ensurePage());

const FINDING = {
  id: 'V03/camera',
  check: 'V03',
  claim: 'DEFECT',
  status: 'fail',
  unit: 's',
  reason: 'the picture stood still',
  window: { startTime: String(START + 700n * MILLI), endTime: String(START + 900n * MILLI) },
  evidence: {},
};
const REPORT = {
  kinescribe: 1,
  episodeDigest: `sha256:${'0'.repeat(64)}`,
  limitsDigest: `sha256:${'0'.repeat(64)}`,
  version: '0',
  verdict: 'EXCLUDE',
  reasons: [],
  findings: [FINDING],
};

describe.skipIf(!canRun)('the review page (skipped without Chromium or Vite)', () => {
  let directory: string;
  let server: ReplayServer;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kinescribe-review-'));
    for (const [id, task, operator] of [
      ['arm-0001', 'lift the cube', 'ada'],
      ['arm-0002', 'push the cube', 'bo'],
      ['arm-0003', 'lift the cube', 'bo'],
    ] as const) {
      await writeFixture(fileOf(id), ...(await timedEpisode({ id, task, operator })));
    }
    await writeFile(findingsFileOf(fileOf('arm-0002')), JSON.stringify(REPORT));
    server = await startReplayServer(await EpisodeShelf.of([directory]), { port: 0 });
    page = await newPage('ada');
  });
  afterEach(async () => {
    await page.close();
    await server.close();
    await rm(directory, { recursive: true });
    expect(faults.splice(0)).toEqual([]);
  });

  const fileOf = (id: string) => join(directory, `${id}.mcap`);
  const labelsOf = async (id: string) => currentLabels(await readLabels(fileOf(id)));
  const url = (query = '') => `http://127.0.0.1:${server.address.port}/${query}`;

  /** A browser of its own for each reviewer. */
  async function newPage(author: string): Promise<Page> {
    const opened = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    opened.on('pageerror', (error) => faults.push(error.message));
    await opened.addInitScript((name) => localStorage.setItem('kinescribe.author', name), author);
    return opened;
  }
  async function open(id: string, on = page, query = ''): Promise<void> {
    await on.goto(url(`?episode=${id}${query}`));
    await on.getByRole('img', { name: 'Camera /camera' }).waitFor();
    await on.getByRole('button', { name: 'Success' }).waitFor();
    await on.locator('.plot').first().waitFor();
  }
  const rows = () => page.locator('tr[data-row] a').allTextContents();
  const pressed = (name: string, on = page) =>
    eventually(() => on.getByRole('button', { name, exact: true }).getAttribute('aria-pressed'));
  const clockMillis = async () => {
    const [, minutes, secs] = /(\d+):([\d.]+)/.exec((await page.locator('.clock').textContent()) ?? '') ?? [];
    return 1000 * (60 * Number(minutes) + Number(secs));
  };

  test('searches, filters and sorts the library, and keeps it in the address', async () => {
    await page.goto(url());
    await eventually(rows).toEqual(['arm-0001', 'arm-0002', 'arm-0003']);
    await page.keyboard.press('/');
    await page.keyboard.type('lift');
    await eventually(rows).toEqual(['arm-0001', 'arm-0003']);
    await page.getByLabel('operator').selectOption('bo');
    await eventually(rows).toEqual(['arm-0003']);
    await page.getByLabel('operator').selectOption('any');
    await page.getByRole('button', { name: 'episode' }).click();
    await page.getByRole('button', { name: 'episode' }).click();
    await eventually(rows).toEqual(['arm-0003', 'arm-0001']);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ text: 'lift', sort: '-id' });
    await page.reload();
    await eventually(rows).toEqual(['arm-0003', 'arm-0001']);
    await page.getByText('2 of 3 episodes').waitFor();
    await page.getByRole('link', { name: 'arm-0003' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'lift the cube' }).waitFor();
    expect(new URL(page.url()).searchParams.get('episode')).toBe('arm-0001');
    await page.getByText('2 of 2').waitFor(); // its place in the list it was opened from
    await page.keyboard.press('[');
    await page.waitForURL(/episode=arm-0003/);
    await page.getByRole('button', { name: 'Success' }).waitFor();
    await page.keyboard.press('l');
    await eventually(rows).toEqual(['arm-0003', 'arm-0001']);
  });

  test('judges by keys alone, undoes, redoes, and knows it all after a reload', async () => {
    await open('arm-0001');
    for (const key of ['s', '4', 'x']) await page.keyboard.press(key);
    await pressed('Discard').toBe('true');
    await page.keyboard.press('n');
    await page.keyboard.type('slipped at s');
    await page.keyboard.press('Escape');
    await eventually(async () => (await labelsOf('arm-0001')).note?.label.value).toBe('slipped at s');
    await page.keyboard.press('f');
    await pressed('Failure').toBe('true');
    await page.keyboard.press('u');
    await pressed('Success').toBe('true');
    await page.reload();
    await pressed('Success').toBe('true');
    await pressed('Quality 4').toBe('true');
    expect(await page.getByLabel('Note').inputValue()).toBe('slipped at s');
    await page.keyboard.press('Shift+u');
    await pressed('Failure').toBe('true');
    const { outcome, quality, decision } = await labelsOf('arm-0001');
    expect([outcome, quality, decision].map((entry) => entry?.label.value)).toEqual([
      'failure',
      4,
      'discard',
    ]);
    expect(outcome?.author).toBe('ada');
    await page.keyboard.press('x'); // once more takes it back
    await pressed('Discard').toBe('false');
    await page.goto(url('?decision=discard'));
    await page.getByText('0 of 3 episodes').waitFor();
  });

  test('scrubs, steps by frames, and a link names the instant', async () => {
    await open('arm-0001', page, '&t=0.66');
    await eventually(clockMillis).toBeCloseTo(660, -1.5);
    await page.keyboard.press('ArrowRight');
    await eventually(clockMillis).toBeGreaterThan(680);
    await eventually(() => Number(new URL(page.url()).searchParams.get('t'))).toBeGreaterThan(0.68);
    await page.keyboard.press('Home');
    await eventually(() => new URL(page.url()).searchParams.get('t')).toBe('0.000');
  });

  test('trims and marks at the instant shown; marks move and go', async () => {
    await open('arm-0001', page, '&t=0.1');
    await eventually(clockMillis).toBeCloseTo(100, -1.5);
    await page.keyboard.press('i');
    await page.getByLabel('Name of the next mark').fill('grasp');
    await page.keyboard.press('Enter');
    await page.keyboard.press('m');
    await page.keyboard.press('End');
    await eventually(clockMillis).toBeGreaterThan(980);
    await page.keyboard.press('m');
    const mark = page
      .locator('.lanes')
      .getByRole('button', { name: /^grasp at 0:00.10 to 0:00.99, by ada$/ });
    await mark.waitFor();
    const { trim, marks } = await labelsOf('arm-0001');
    expect(trim?.label.ranges).toEqual([
      { startTime: START + 100n * MILLI, endTime: START + 990n * MILLI + 1n },
    ]);
    expect(marks.map(({ label }) => label)).toMatchObject([
      { name: 'grasp', startTime: START + 100n * MILLI },
    ]);
    await page.keyboard.press('Home');
    await eventually(clockMillis).toBe(0);
    await page.getByRole('button', { name: 'grasp starts now' }).click();
    await page
      .locator('.lanes')
      .getByRole('button', { name: /^grasp at 0:00.00/ })
      .waitFor();
    await page.getByRole('button', { name: 'take grasp away' }).click();
    await eventually(async () => (await labelsOf('arm-0001')).marks).toEqual([]);
    await page.keyboard.press('u');
    await page
      .locator('.lanes')
      .getByRole('button', { name: /^grasp at 0:00.00/ })
      .waitFor();
  });

  test('two reviewers at once see each other and lose nothing', async () => {
    const other = await newPage('bo');
    await Promise.all([open('arm-0001'), open('arm-0001', other)]);
    await page.keyboard.press('s');
    await pressed('Success', other).toBe('true');
    await Promise.all([page.keyboard.press('5'), other.keyboard.press('k'), other.keyboard.press('Shift+m')]);
    for (const each of [page, other]) {
      await pressed('Quality 5', each).toBe('true');
      await pressed('Keep', each).toBe('true');
      await each
        .locator('.lanes')
        .getByRole('button', { name: /^mistake at .* by bo$/ })
        .waitFor();
    }
    await other.keyboard.press('u'); // takes back what bo said last, nothing of ada
    await other.keyboard.press('u');
    await pressed('Keep').toBe('false');
    await pressed('Success').toBe('true');
    expect(await readLabels(fileOf('arm-0001'))).toHaveLength(6);
    await other.close();
  });

  test('shows what another program says of the episode', async () => {
    await open('arm-0001');
    const said = { author: 'annotator', time: new Date().toISOString() };
    await appendLabel(fileOf('arm-0001'), { ...said, label: { kind: 'outcome', value: 'failure' } });
    await pressed('Failure').toBe('true');
  });

  test('asks who one is before it takes a word', async () => {
    const nameless = await newPage('');
    await open('arm-0001', nameless);
    await nameless.keyboard.press('s');
    await nameless.getByText('Say who you are first.').waitFor();
    expect(await readLabels(fileOf('arm-0001'))).toEqual([]);
    await nameless.getByLabel('Reviewer').fill('cy');
    await nameless.keyboard.press('Enter');
    await nameless.keyboard.press('s');
    await pressed('Success', nameless).toBe('true');
    await nameless.close();
  });

  test('shows findings, jumps to them by key and button, and waives with a reason', async () => {
    await open('arm-0002');
    const place = page.locator('.lanes').getByRole('button', { name: 'V03/camera: the picture stood still' });
    await place.click();
    await eventually(clockMillis).toBeCloseTo(700, -1.5);
    await page.keyboard.press('Home');
    await page.keyboard.press('g');
    await eventually(clockMillis).toBeCloseTo(400, -1.5); // the loss comes first
    await page.keyboard.press('g');
    await eventually(clockMillis).toBeCloseTo(700, -1.5);
    await page.getByRole('button', { name: 'waive' }).click();
    await page.keyboard.type('cap was on');
    await page.keyboard.press('Enter');
    await page.getByText('waived: cap was on').waitFor();
    expect(await place.count()).toBe(0);
    expect((await labelsOf('arm-0002')).waivers[0]?.label).toMatchObject({ finding: 'V03/camera' });
  });

  test('lists its keys, each of which the page knows', async () => {
    await open('arm-0001');
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keys' });
    await help.waitFor();
    expect(await help.locator('dt').count()).toBeGreaterThan(20);
    await page.keyboard.press('Escape');
    expect(await help.count()).toBe(0);
  });

  test.each([
    ['library', '', 'tr[data-row]'],
    ['episode', '?episode=arm-0002', '.plot'],
  ])('the %s has no serious fault of accessibility, dark or light', async (what, query, shown) => {
    await page.goto(url(query));
    await page.locator(shown).first().waitFor();
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await seriousFaults(page), colorScheme).toEqual([]);
    }
    if (what === 'library') return;
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(await seriousFaults(page), 'help').toEqual([]);
  });
});
