import type { Trace } from './trace.ts';

/** Edge of a cell, radians or metres: about 5 cm at the hand of an arm that is half a metre long. */
const CELL = 0.1;

/** Where in the space of their joints the episodes of a library have been (X05). */
export interface Occupancy {
  readonly episodes: number;
  /** Cells of 0.1 rad that would be as varied if all were visited equally long: e to the entropy. */
  readonly states: number;
  /** The same of the first states alone, at most as many as there are episodes. */
  readonly starts: number;
}

/** Undefined where no episode says how its joints moved. */
export function occupancyOf(traces: readonly (Pick<Trace, 'path'> | undefined)[]): Occupancy | undefined {
  const paths = traces.flatMap((trace) => (trace && trace.path.length > 0 ? [trace.path] : []));
  if (paths.length === 0) return undefined;
  return {
    episodes: paths.length,
    states: effectiveNumber(paths.flatMap((path) => path.map(cellOf))),
    starts: effectiveNumber(paths.map((path) => cellOf(path[0]!))),
  };
}

function cellOf(position: readonly number[]): string {
  return position.map((value) => Math.floor(value / CELL)).join();
}

function effectiveNumber(cells: readonly string[]): number {
  const counts = [...Map.groupBy(cells, (cell) => cell).values()].map(({ length }) => length);
  return Math.exp(
    -counts.reduce((sum, count) => sum + (count / cells.length) * Math.log(count / cells.length), 0),
  );
}
