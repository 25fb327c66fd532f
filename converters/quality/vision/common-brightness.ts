import { quantile } from '../robust.ts';
import { areaResize, type Luma } from './luma-measures.ts';

/** Brightness is compared tile by tile: what moves through the picture fills few of them. */
const TILES = { columns: 6, rows: 4 };

export type Tiles = Float64Array;

export function brightnessTiles(luma: Luma): Tiles {
  return areaResize(luma, TILES.columns, TILES.rows);
}

/**
 * By how much three quarters of a picture became brighter, or darker, as a share of full scale; 0 where its tiles
 * go both ways.
 */
export function commonChange(before: Tiles, after: Tiles): number {
  const changes = after.map((value, i) => (value - before[i]!) / 255);
  const [low, high] = [quantile(changes, 0.25), quantile(changes, 0.75)];
  if (low > 0) return low;
  return high < 0 ? high : 0;
}
