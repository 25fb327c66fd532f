import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SampleSettings } from '../schemas/contract.ts';
import type { Frame } from './frame.ts';
import { type Window, WindowCutter } from './windows.ts';

function frame(index: number): Frame {
  return { index, tickTime: BigInt(index), values: new Map() };
}

function settings(part: Partial<SampleSettings>): SampleSettings {
  return {
    tickRateHz: 10,
    clock: 'log',
    observationSteps: 1,
    horizon: 1,
    stride: 1,
    padding: 'repeat',
    actionsFrom: 'anchor',
    leaveOut: [],
    pauses: 'cut',
    trimStartSecs: 0,
    trimEndSecs: 0,
    ...part,
  };
}

/** Windows as text: frame indices, a padded step in brackets. */
function cut(count: number, sampling: SampleSettings, cutter = new WindowCutter(sampling)): string[] {
  const windows: Window[] = [];
  for (let i = 0; i < count; i++) {
    const window = cutter.push(frame(i));
    if (window) windows.push(window);
  }
  windows.push(...cutter.end());
  const text = (steps: Window['actions']) =>
    steps.map((step) => (step.padded ? `(${step.frame.index})` : `${step.frame.index}`)).join(' ');
  return windows.map(
    ({ anchor, observations, actions }) => `${anchor.index}: ${text(observations)} > ${text(actions)}`,
  );
}

test.each([
  [{}, 3, ['0: 0 > 0', '1: 1 > 1', '2: 2 > 2']],
  [
    { observationSteps: 2, horizon: 3 },
    4,
    ['0: (0) 0 > 0 1 2', '1: 0 1 > 1 2 3', '2: 1 2 > 2 3 (3)', '3: 2 3 > 3 (3) (3)'],
  ],
  [{ observationSteps: 2, horizon: 3, padding: 'drop' as const }, 4, ['1: 0 1 > 1 2 3']],
  [{ horizon: 2, stride: 3 }, 5, ['0: 0 > 0 1', '3: 3 > 3 4']],
  [{ observationSteps: 3, horizon: 1, stride: 4 }, 9, ['0: (0) (0) 0 > 0', '4: 2 3 4 > 4', '8: 6 7 8 > 8']],
  [
    // Clips of three frames, each with its action.
    {
      observationSteps: 3,
      horizon: 3,
      stride: 3,
      actionsFrom: 'first' as const,
      padding: 'drop' as const,
    },
    8,
    ['3: 1 2 3 > 1 2 3', '6: 4 5 6 > 4 5 6'],
  ],
  [
    // As diffusion_policy has it: a horizon that begins with the first of two observations.
    { observationSteps: 2, horizon: 4, actionsFrom: 'first' as const },
    4,
    ['0: (0) 0 > (0) 0 1 2', '1: 0 1 > 0 1 2 3', '2: 1 2 > 1 2 3 (3)', '3: 2 3 > 2 3 (3) (3)'],
  ],
  [{ horizon: 4 }, 1, ['0: 0 > 0 (0) (0) (0)']],
  [{ horizon: 4, padding: 'drop' as const }, 1, []],
  [{ observationSteps: 2, horizon: 3 }, 0, []],
])('push() and end() cut windows with %o from %i frames', (part, count, expected) => {
  expect(cut(count, settings(part))).toEqual(expected);
});

test('end() makes the cutter ready for the next episode', () => {
  const sampling = settings({ observationSteps: 2, horizon: 2 });
  const cutter = new WindowCutter(sampling);
  expect(cut(5, sampling, cutter)).toEqual(cut(5, sampling, cutter));
});

test('push() and end() equal windows cut from the whole episode', () => {
  fc.assert(
    fc.property(
      fc.record({
        count: fc.nat(30),
        observationSteps: fc.integer({ min: 1, max: 6 }),
        horizon: fc.integer({ min: 1, max: 8 }),
        stride: fc.integer({ min: 1, max: 9 }),
        padding: fc.constantFrom('repeat' as const, 'drop' as const),
      }),
      ({ count, ...part }) => {
        const { observationSteps, horizon, stride, padding } = part;
        const expected: string[] = [];
        for (let anchor = 0; anchor < count; anchor += stride) {
          const step = (i: number) => (i < 0 ? '(0)' : i >= count ? `(${count - 1})` : `${i}`);
          const past = Array.from({ length: observationSteps }, (_, i) =>
            step(anchor - observationSteps + 1 + i),
          );
          const future = Array.from({ length: horizon }, (_, i) => step(anchor + i));
          const text = `${anchor}: ${past.join(' ')} > ${future.join(' ')}`;
          if (padding === 'repeat' || !text.includes('(')) expected.push(text);
        }
        expect(cut(count, settings(part))).toEqual(expected);
      },
    ),
  );
});
