/** A line below all points: y = intercept + slope · x. */
export interface HullLine {
  readonly intercept: number;
  readonly slope: number;
}

/** Points that wait to be sorted in: what lies on the hull of many thousand points is a few dozen. */
const MAX_PENDING = 512;

/**
 * The lower convex hull of points that come one by one, by Andrew's monotone chain (1979). Of a clock's
 * offsets over time it is what the fastest messages saw: queues only ever make messages later, so a
 * regression follows the bursts and the hull does not (Moon, Skelly and Towsley 1999).
 */
export class LowerHull {
  /** By ascending x; the points beyond `#sorted` are pending. */
  #points: (readonly [x: number, y: number])[] = [];
  #pending = 0;
  #sumX = 0;
  #count = 0;

  add(x: number, y: number): void {
    this.#points.push([x, y]);
    this.#sumX += x;
    this.#count++;
    if (++this.#pending >= MAX_PENDING) this.#settle();
  }

  /** The hull of both. */
  merge(other: LowerHull): void {
    this.#points.push(...other.#points);
    this.#sumX += other.#sumX;
    this.#count += other.#count;
    this.#settle();
  }

  /** From the first point to the last, along x. */
  span(): number {
    this.#settle();
    return this.#points.length > 0 ? this.#points.at(-1)![0] - this.#points[0]![0] : 0;
  }

  /** The level line through the lowest point; of no points it is NaN. */
  floor(): HullLine {
    const lowest = this.#points.reduce((low, [, y]) => Math.min(low, y), Number.POSITIVE_INFINITY);
    return { intercept: this.#count > 0 ? lowest : Number.NaN, slope: 0 };
  }

  /** The line along the hull's edge below the mean of all x. */
  line(): HullLine {
    this.#settle();
    const mean = this.#sumX / this.#count;
    const right = this.#points.findIndex(([x]) => x > mean);
    const [a, b] = [this.#points[right - 1], this.#points[right]];
    if (!a || !b) return this.floor();
    const slope = (b[1] - a[1]) / (b[0] - a[0]);
    return { intercept: a[1] - slope * a[0], slope };
  }

  #settle(): void {
    this.#points.sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
    const hull: (readonly [number, number])[] = [];
    for (const point of this.#points) {
      if (hull.at(-1)?.[0] === point[0]) continue; // above the one before
      while (hull.length > 1 && !turnsLeft(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
      hull.push(point);
    }
    this.#points = hull;
    this.#pending = 0;
  }
}

function turnsLeft(
  a: readonly [number, number],
  b: readonly [number, number],
  c: readonly [number, number],
): boolean {
  return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0]);
}
