import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { EpisodeState } from '../schemas/episode.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import { CHROMIUM, launchChromium, seriousFaults } from '../viewer/chromium.fixture.ts';
import { ensurePage } from '../viewer/page-build.ts';
import { ServedSession } from './served-session.fixture.ts';

const canRun = CHROMIUM !== undefined && (await ensurePage());
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};
const TABLET: BrowserContextOptions = { viewport: { width: 1024, height: 768 }, hasTouch: true };
/** Smaller ones are missed by a gloved finger, CSS pixels. */
const TOUCH_PIXELS = 64;

describe.skipIf(!canRun)('the recording page (skipped without Chromium or Vite)', () => {
  let served: ServedSession;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    page = await openPage(TABLET);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    served = await ServedSession.open();
    await show(page);
  });
  afterEach(async () => {
    expect(faults).toEqual([]);
    await served[Symbol.asyncDispose]();
  });

  async function openPage(options: BrowserContextOptions): Promise<Page> {
    const opened = await browser.newPage(options);
    opened.on('pageerror', (error) => faults.push(error.message));
    return opened;
  }
  async function show(on: Page): Promise<void> {
    await on.goto(served.server.url('/record'));
    await on.getByRole('heading', { name: 'Ready' }).waitFor();
  }
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const isIn = (state: EpisodeState) => expect.poll(() => served.session.status().state).toBe(state);
  /** By key, once the page has settled and listens to keys. */
  const key = async (name: string) => {
    await page.locator('button[aria-keyshortcuts][aria-disabled=false]').first().waitFor();
    await page.keyboard.press(name);
  };
  const startAndStop = async () => {
    await button('Start').click();
    await isIn('recording');
    served.send(0.2);
    await button('Stop').click();
    await isIn('review');
  };
  const labelsOf = async (id: string) => readLabels(`${served.directory}/${id}.mcap`);

  it('starts, marks, stops, grades, notes and keeps by finger', async () => {
    await button('Start').tap();
    await isIn('recording');
    served.send(0.2);
    await button('Mistake now').tap();
    await page.getByText('Mistake marked at 0:00').waitFor();
    await button('Pause').tap();
    await page.getByRole('heading', { name: 'Paused' }).waitFor();
    await button('Resume').tap();
    await page.getByRole('heading', { name: 'Recording' }).waitFor();
    await button('Stop').tap();
    await page.getByText('nothing lost').waitFor();
    await button('Quality 4').tap();
    await page.locator('[aria-pressed=true]', { hasText: '4' }).waitFor();
    await page.getByLabel('Note').fill('slipped once');
    await button('Success').tap();
    await isIn('idle');
    const labels = await labelsOf('desk-0001');
    expect(labels.map(({ label }) => label)).toEqual([
      { kind: 'outcome', value: 'success' },
      { kind: 'quality', value: 4 },
      { kind: 'note', value: 'slipped once' },
    ]);
    await startAndStop();
    await button('Discard').tap();
    await isIn('idle');
    expect(await served.episodes()).toEqual(['desk-0001.mcap']);
  });

  it('obeys the keys of the terminal, whatever was pressed or chosen before', async () => {
    await key('d');
    await page.getByRole('alert').getByText('Cannot discard a take').waitFor();
    await page.getByLabel('Task of the next take').selectOption('push the block');
    await page.getByLabel('Operator').selectOption('op-2');
    const described = { task: 'push the block', operator: 'op-2' };
    await expect.poll(() => served.session.status()).toMatchObject(described);
    await page.getByLabel('Operator').blur();
    await key('Space');
    await isIn('recording');
    await button('Stop').click();
    await isIn('review');
    await key('2');
    await expect.poll(() => served.session.status().quality).toBe(2);
    await key('d');
    await isIn('idle');
    expect(await served.episodes()).toEqual([]);
  });

  it('leaves letters in the note, and keeps and starts the next in one press', async () => {
    await startAndStop();
    await page.getByLabel('Note').pressSequentially('sd fk');
    expect(served.session.status().state).toBe('review');
    await button('Keep and start the next').click();
    await expect.poll(() => served.session.status().episodeId).toBe('desk-0002');
    expect(served.session.status()).toMatchObject({ state: 'recording', kept: 1, discarded: 0 });
    expect(currentLabel(await labelsOf('desk-0001'), 'note')).toBe('sd fk');
    await button('Stop').click();
    await page.getByLabel('Note').fill('for this take alone');
    await served.session.command({ kind: 'keep' }); // another operator is quicker
    await button('Start').waitFor();
    await served.session.command({ kind: 'start' });
    await served.session.command({ kind: 'stop' });
    expect(await page.getByLabel('Note').inputValue()).toBe('');
  });

  it('takes a press that bounces for one', async () => {
    await button('Start').and(page.locator('[aria-disabled=false]')).waitFor();
    // The finger comes down again a tenth of a second after the button has become another one.
    await page.evaluate(`new Promise((resolve) => {
      const step = document.querySelector('.step');
      const bounce = () => {
        if (step.textContent !== 'Stop') return;
        watch.disconnect();
        setTimeout(() => resolve(step.click()), 100);
      };
      const watch = new MutationObserver(bounce);
      watch.observe(step, { subtree: true, childList: true, characterData: true });
      step.click();
    })`);
    await button('Stop').and(page.locator('[aria-disabled=false]')).waitFor();
    expect(served.session.status().state).toBe('recording');
    await button('Stop').click();
    await isIn('review');
  });

  it('starts one take when two operators press start at once', async () => {
    const other = await openPage(PHONE);
    await show(other);
    await button('Start').and(page.locator('[aria-disabled=false]')).waitFor();
    await other.locator('button[aria-disabled=false]', { hasText: 'Start' }).waitFor();
    await Promise.all([
      button('Start').click({ force: true }),
      other.getByRole('button', { name: 'Start', exact: true }).click({ force: true }),
    ]);
    await isIn('recording');
    await other.getByRole('heading', { name: 'Recording' }).waitFor();
    await page.getByRole('heading', { name: 'Recording' }).waitFor();
    await other.close();
    expect(served.session.status()).toMatchObject({ state: 'recording', episodeId: 'desk-0001', kept: 0 });
  });

  it('says what the plan wants next, sets it, and lets the operator choose otherwise', async () => {
    await using planned = await ServedSession.open({
      plan: `
kinescribe: 1
targets:
  - { task: push the block, object: blue block, scene: left, count: 1 }
  - { task: push the block, object: red block, count: 3 }
`,
    });
    await page.goto(planned.server.url('/record'));
    await page.getByText('1 of 1 left for blue block, left: push the block').waitFor();
    expect(await page.getByLabel('Object').inputValue()).toBe('blue block');
    await planned.session.command({ kind: 'start' });
    await planned.session.command({ kind: 'stop' });
    await button('Success').click();
    await page.getByText('3 of 3 left for red block: push the block').waitFor();
    await expect.poll(() => page.getByLabel('Object').inputValue()).toBe('red block');
    await page.getByLabel('Object').selectOption('–');
    await page.getByLabel('Scene').selectOption('right');
    await expect.poll(() => planned.session.status().scene).toBe('right');
    expect(planned.session.status().object).toBeUndefined();
  });

  it('is silent unless it is asked for tones, and remembers that', async () => {
    const heard = await openPage(TABLET);
    await heard.addInitScript(`
      const start = OscillatorNode.prototype.start;
      globalThis.tones = [];
      OscillatorNode.prototype.start = function (when) {
        tones.push(this.frequency.value);
        start.call(this, when);
      };
    `);
    await show(heard);
    const tones = () => heard.evaluate<number[]>('globalThis.tones');
    const [up, down] = [
      [523, 784],
      [784, 523],
    ];
    for (const kind of ['start', 'stop', 'discard'] as const) await served.session.command({ kind });
    await heard.getByText('discarded1').waitFor();
    expect(await tones()).toEqual([]);
    await heard.getByLabel('Sound').selectOption('tones');
    expect(await tones()).toEqual(up); // what a start sounds like
    await served.session.command({ kind: 'start' });
    await expect.poll(tones).toEqual([...up, ...up]);
    await served.session.command({ kind: 'stop' });
    await expect.poll(tones).toEqual([...up, ...up, ...down]);
    await heard.reload();
    await heard.getByLabel('Sound').waitFor();
    expect(await heard.getByLabel('Sound').inputValue()).toBe('tones');
    await heard.context().close();
  });

  it('has no serious fault of accessibility, ready, recording and in review', async () => {
    const expectNone = async () => {
      for (const colorScheme of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await seriousFaults(page), colorScheme).toEqual([]);
      }
    };
    await expectNone();
    await button('Start').click();
    await isIn('recording');
    served.send(0.2);
    await button('Stop').waitFor();
    await expectNone();
    await button('Stop').click();
    await isIn('review');
    await button('Success').waitFor();
    await expectNone();
  });

  it('turns a stream red within two seconds of its death', async () => {
    await button('Start').click();
    await isIn('recording');
    let isForceDead = false;
    const robot = setInterval(() => served.send(0.04, { isForceDead }), 40);
    onTestFinished(() => clearInterval(robot));
    await page.locator('tr', { hasText: /force.*[45]\d\.\d \/ 50/ }).waitFor({ timeout: 8000 });
    expect(await page.locator('tr.troubled').count()).toBe(0);
    isForceDead = true;
    await page.locator('tr.troubled', { hasText: 'force' }).waitFor({ timeout: 2000 });
    await page.getByRole('alert').getByText('In trouble: force silent').waitFor();
    expect(await page.locator('tr.troubled').count()).toBe(1);
  });

  it('says that the connection is lost, and goes on by itself when the server is back', async () => {
    await button('Start').click();
    await button('Stop').waitFor();
    await served.restartServer(async () => {
      await page.getByRole('alert').getByText('Connection lost, reconnecting…').waitFor({ timeout: 8000 });
      expect(await button('Stop').getAttribute('aria-disabled')).toBe('true');
    });
    await page.getByText('Connection lost').waitFor({ state: 'detached', timeout: 8000 });
    await button('Stop').click();
    await isIn('review');
    await key('s');
    await isIn('idle');
    expect(currentLabel(await labelsOf('desk-0001'), 'outcome')).toBe('success');
  });

  it.each([
    ['phone', PHONE],
    ['tablet', TABLET],
  ])('fits a %s in every state, nothing too small for a glove', async (_, device) => {
    const shown = await openPage({ ...device, colorScheme: 'dark' });
    await show(shown);
    for (const [state, command] of [
      ['Ready', { kind: 'describe' }],
      ['Recording', { kind: 'start' }],
      ['Review', { kind: 'stop' }],
    ] as const) {
      await served.session.command(command);
      await shown.getByRole('heading', { name: state }).waitFor();
      expect(await shown.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(
        0,
      );
      for (const control of await shown.locator('button, select, input, a').all()) {
        const { width, height } = (await control.boundingBox())!;
        expect(Math.min(width, height), await control.innerText()).toBeGreaterThanOrEqual(TOUCH_PIXELS);
      }
    }
    await shown.close();
  });
});
