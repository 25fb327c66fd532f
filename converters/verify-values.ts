import type { ColumnReading, EpisodeReading, TextReading } from './dataset-reading.ts';
import { RANGE_ELEMENTS } from './episode-numbers.ts';
import type { ColumnNumbers } from './frame-columns.ts';
import { messageText } from './message-text.ts';
import type { FrameRange } from './stored-elements.ts';
import type { Truth } from './verify-truth.ts';

/** What became of the numbers and texts of a reading. */
export interface ComparedValues {
  /** One sentence per column; of a column the first row that is wrong. */
  readonly faults: readonly string[];
  /** Whether every row is there: where rows are missing, nothing else can be compared. */
  readonly isWhole: boolean;
  /** How many were compared. */
  readonly numbers: number;
  readonly texts: number;
}

/** Holds every number and every text of a reading against the recording. */
export async function compareValues(reading: EpisodeReading, truth: Truth): Promise<ComparedValues> {
  const columns = reading.columns.map((column) => placeColumn(column, truth));
  const texts = reading.texts.map((text) => placeText(text, truth));
  const missing = [...columns, ...texts].filter(({ stored, frames }) => stored !== frames.length);
  if (missing.length > 0) {
    const faults = missing.map(
      ({ place, stored, frames }) =>
        `${place}: holds ${stored} rows, "${truth.file}" gives ${frames.length}.`,
    );
    return { faults, isWhole: false, numbers: 0, texts: 0 };
  }
  const faults: string[] = [];
  for (const column of columns) faults.push(...(await columnFault(column, truth)));
  return {
    faults: [...faults, ...texts.flatMap((text) => textFault(text, truth) ?? [])],
    isWhole: true,
    numbers: columns.reduce((sum, { stored, width }) => sum + stored * width, 0),
    texts: texts.reduce((sum, { values }) => sum + values.length, 0),
  };
}

interface Placed {
  /** Frame of each row that there must be. */
  readonly frames: readonly number[];
  /** Rows that there are. */
  readonly stored: number;
}

interface PlacedColumn extends Omit<ColumnReading, 'frames'>, Placed {
  /** What the recording gives for a frame of the episode. */
  readonly expected: (frame: number) => ColumnNumbers;
  /** Elements of a row. */
  readonly width: number;
}

interface PlacedText extends Omit<TextReading, 'frames'>, Placed {}

function placeColumn(reading: ColumnReading, truth: Truth): PlacedColumn {
  const expected = truth.rowsOf(reading.column);
  const width = expected(0).length;
  return {
    ...reading,
    ...{ expected, width },
    frames: framesOf(reading, truth),
    stored: 'rows' in reading.values ? reading.values.rows : reading.values.length / width,
  };
}

function placeText(reading: TextReading, truth: Truth): PlacedText {
  return { ...reading, frames: framesOf(reading, truth), stored: reading.values.length };
}

function framesOf({ frames }: Pick<ColumnReading, 'frames'>, { numbers }: Truth): readonly number[] {
  return frames?.(numbers.frames) ?? Array.from({ length: numbers.frames }, (_, frame) => frame);
}

/** The first row of a column that is not what the recording gives. */
async function columnFault(column: PlacedColumn, truth: Truth): Promise<string[]> {
  const { values, stored, width } = column;
  if (!('rows' in values)) return rangeFault(column, { values, from: 0, to: stored }, truth);
  const step = Math.max(1, Math.floor(RANGE_ELEMENTS / width));
  for (let from = 0; from < stored; from += step) {
    const range = { from, to: Math.min(stored, from + step) };
    const found = rangeFault(column, { ...range, values: await values.read(range) }, truth);
    if (found.length > 0) return found;
  }
  return [];
}

/** @param range rows of the column, with their values. */
function rangeFault(
  { place, column, firstRow = 0, expected, width, frames }: PlacedColumn,
  { from, to, values }: FrameRange & { readonly values: ArrayLike<number | bigint> },
  truth: Truth,
): string[] {
  for (let row = from; row < to; row++) {
    const frame = frames[row]!;
    const given = expected(frame);
    for (let i = 0; i < width; i++) {
      const [found, wanted] = [values[(row - from) * width + i]!, given[i]!];
      if (isSame(found, wanted)) continue;
      const what = messageText(frame, column.key, truth);
      return [
        `${place}, row ${firstRow + row}: element ${i} is ${found}, "${truth.file}" gives ${wanted} (frame ${frame}${what}).`,
      ];
    }
  }
  return [];
}

function textFault(
  { place, key, values, firstRow = 0, frames }: PlacedText,
  truth: Truth,
): string | undefined {
  const texts = key === undefined ? undefined : truth.numbers.features.get(key)!.texts!;
  for (const [row, frame] of frames.entries()) {
    const [found, wanted] = [values[row]!, texts?.[frame] ?? truth.facts.task];
    if (found === wanted) continue;
    const what = texts
      ? `(frame ${frame}${messageText(frame, key, truth)})`
      : 'as the task, which is the instruction';
    return `${place}, row ${firstRow + row}: is "${found}", "${truth.file}" gives "${wanted}" ${what}.`;
  }
  return undefined;
}

/** Formats that know 32 bits only have the nearest number of those. */
function isSame(found: number | bigint, wanted: number | bigint): boolean {
  if (found === wanted) return true;
  if (typeof found === 'bigint' || typeof wanted === 'bigint') return found.toString() === wanted.toString();
  return (
    Object.is(found, wanted) || found === Math.fround(wanted) || (Number.isNaN(found) && Number.isNaN(wanted))
  );
}
