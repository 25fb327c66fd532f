import type { ColumnReading, EpisodeReading, TextReading } from './dataset-reading.ts';
import type { ColumnNumbers } from './frame-columns.ts';
import { messageText } from './message-text.ts';
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
export function compareValues(reading: EpisodeReading, truth: Truth): ComparedValues {
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
  return {
    faults: [
      ...columns.flatMap((column) => columnFault(column, truth) ?? []),
      ...texts.flatMap((text) => textFault(text, truth) ?? []),
    ],
    isWhole: true,
    numbers: columns.reduce((sum, { values }) => sum + values.length, 0),
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
    stored: reading.values.length / width,
  };
}

function placeText(reading: TextReading, truth: Truth): PlacedText {
  return { ...reading, frames: framesOf(reading, truth), stored: reading.values.length };
}

function framesOf({ frames }: Pick<ColumnReading, 'frames'>, { numbers }: Truth): readonly number[] {
  return frames?.(numbers.frames) ?? Array.from({ length: numbers.frames }, (_, frame) => frame);
}

/** The first row of a column that is not what the recording gives. */
function columnFault(
  { place, column, values, firstRow = 0, expected, width, frames }: PlacedColumn,
  truth: Truth,
): string | undefined {
  for (const [row, frame] of frames.entries()) {
    const given = expected(frame);
    for (let i = 0; i < width; i++) {
      const [found, wanted] = [values[row * width + i]!, given[i]!];
      if (isSame(found, wanted)) continue;
      return (
        `${place}, row ${firstRow + row}: element ${i} is ${found}, "${truth.file}" gives ${wanted} ` +
        `(frame ${frame}${messageText(frame, column.key, truth)}).`
      );
    }
  }
  return undefined;
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
