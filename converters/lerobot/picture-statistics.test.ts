import { describe, expect, it } from 'vitest';
import { PictureLevels } from '../prepared/picture-levels.ts';
import { Statistics } from '../statistics.ts';
import { QUANTILES } from './feature-statistics.ts';
import { PictureStatistics } from './picture-statistics.ts';

const pictures = [3, 5, 11].map((step) =>
  Uint8Array.from({ length: 8 * 6 * 3 }, (_, i) => (i * i * step) % 256),
);

function levelsOf(picture: Uint8Array): PictureLevels {
  const levels = new PictureLevels();
  levels.addFrame(picture);
  return levels;
}

describe('PictureStatistics', () => {
  it('equals statistics over the numbers themselves', () => {
    const statistics = new PictureStatistics();
    const numbers = new Statistics(3);
    for (const picture of pictures) {
      statistics.add(levelsOf(picture));
      numbers.add(Float64Array.from(picture, (byte) => byte / 255));
    }
    const { count, ...table } = statistics.endEpisode();
    const { min, max, mean, std } = numbers.summary();
    const [q01, q10, q50, q90, q99] = QUANTILES.map((q) => numbers.quantile(q));
    for (const [name, expected] of Object.entries({ min, max, mean, std, q01, q10, q50, q90, q99 })) {
      const found = Object.entries(table).find(([key]) => key === name)![1];
      for (const [channel, value] of found.entries())
        expect(value, name).toBeCloseTo(expected![channel]!, 12);
    }
    expect(count).toBe(3);
  });

  it('is close to them where only some pixels of large pictures are counted', () => {
    const [width, height] = [640, 480];
    const picture = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      // To the right, downwards, and in stripes of one pixel.
      picture.set([((i % width) * 255) / width, (i / width / height) * 255, i % 2 ? 200 : 40], i * 3);
    }
    const statistics = new PictureStatistics();
    statistics.add(levelsOf(picture));
    const { mean, std, q10, q90 } = statistics.endEpisode();
    const expected: readonly [Float64Array, readonly number[]][] = [
      [mean, [0.5, 0.5, 120 / 255]],
      [std, [0.289, 0.289, 80 / 255]],
      [q10, [0.1, 0.1, 40 / 255]],
      [q90, [0.9, 0.9, 200 / 255]],
    ];
    for (const [found, wanted] of expected) {
      for (const [channel, value] of found.entries())
        expect(Math.abs(value - wanted[channel]!)).toBeLessThan(4e-3);
    }
  });

  it('adds the episodes up', () => {
    const [apart, together] = [new PictureStatistics(), new PictureStatistics()];
    for (const picture of pictures) {
      apart.add(levelsOf(picture));
      apart.endEpisode();
      together.add(levelsOf(picture));
    }
    together.endEpisode();
    expect(apart.dataset.table()).toEqual(together.dataset.table());
  });

  it('is NaN where nothing was seen', () => {
    const { mean, q50, count } = new PictureStatistics().endEpisode();
    expect([...mean, ...q50]).toEqual(Array(6).fill(Number.NaN));
    expect(count).toBe(0);
  });
});
