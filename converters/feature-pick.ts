import { nearest } from '../schemas/contract.ts';
import type { FieldPath, FieldStep } from '../schemas/field-path.ts';
import type { MessageValue } from '../schemas/message.ts';

/** Why a message does not hold what a field path asks for, in one sentence without a full stop. */
export class PickFault extends Error {}

/**
 * The numbers a path leads to, appended to `numbers`. Nested messages and arrays are flattened in the
 * order of their definition; booleans become 0 and 1; 64-bit integers beyond 2^53 are rounded.
 *
 * @param quaternions gets the position in `numbers` of every rotation: a message of x, y, z and w.
 * @throws {PickFault} when a field, an element or a name is not there, or is not a number.
 */
export function pickNumbers(
  message: MessageValue,
  path: FieldPath,
  numbers: number[],
  quaternions: number[] = [],
): void {
  walk({ value: message, from: undefined, label: '' }, path, 0, { numbers, quaternions });
}

/**
 * The text that a path leads to.
 *
 * @throws {PickFault} when there is not one text.
 */
export function pickText(message: MessageValue, path: FieldPath): string {
  let places: readonly Place[] = [{ value: message, from: undefined, label: '' }];
  for (const step of path) places = places.flatMap((place) => follow(place, step));
  const [place, ...more] = places;
  if (!place || more.length > 0) throw new PickFault(`there are ${places.length} values instead of one text`);
  if (typeof place.value === 'string') return place.value;
  throw new PickFault(`"${where(place)}" is no text but ${describe(place.value)}`);
}

/** The payload of a message that holds a picture or a cloud. */
export function bytesOf({ data }: MessageValue): Uint8Array {
  if (data instanceof Uint8Array) return data;
  throw new RangeError('its field "data" is no array of bytes');
}

interface Picked {
  readonly numbers: number[];
  readonly quaternions: number[];
}

interface Place {
  readonly value: unknown;
  /** The place that this one was reached from, and the field name or element index that led here. */
  readonly from: Place | undefined;
  readonly label: string | number;
}

/** The path to a place as faults say it; made only for them, because most places have none. */
function where({ from, label }: Place): string {
  if (!from) return '';
  const before = where(from);
  if (typeof label === 'number') return `${before}[${label}]`;
  return before ? `${before}.${label}` : label;
}

function walk(place: Place, path: FieldPath, depth: number, picked: Picked): void {
  const step = path[depth];
  if (!step) flatten(place, picked);
  else for (const next of follow(place, step)) walk(next, path, depth + 1, picked);
}

/** One step: the fields or elements it leads to, in order. A field of an array is that of each element. */
function follow(place: Place, step: FieldStep): readonly Place[] {
  const { value } = place;
  if (step.kind === 'field') {
    if (!isArray(value)) return [fieldOf(place, step.name)];
    return Array.from(value, (_, i) => fieldOf(elementOf(place, i), step.name));
  }
  switch (step.kind) {
    case 'index':
      return [elementOf(place, step.index)];
    case 'range':
      return Array.from({ length: step.end - step.start }, (_, i) => elementOf(place, step.start + i));
    case 'named': {
      const names = place.from && fieldOf(place.from, step.keyField).value;
      if (!Array.isArray(names)) throw new PickFault(`"${step.keyField}" is no array of names`);
      return step.names.map((name) => elementOf(place, positionOf(name, names, step.keyField)));
    }
    default:
      return step satisfies never;
  }
}

function fieldOf(place: Place, name: string): Place {
  const { value } = place;
  if (!isMessage(value)) throw new PickFault(`"${where(place)}" has no fields but is ${describe(value)}`);
  if (!Object.hasOwn(value, name)) {
    const subject = place.from ? `"${where(place)}"` : 'it';
    throw new PickFault(`${subject} has no field "${name}"${suggest(name, Object.keys(value))}`);
  }
  return { value: value[name], from: place, label: name };
}

function elementOf(place: Place, index: number): Place {
  const { value } = place;
  if (!isArray(value)) throw new PickFault(`"${where(place)}" is no array but ${describe(value)}`);
  if (index >= value.length) {
    throw new PickFault(`"${where(place)}" has ${value.length} elements, element ${index} is asked for`);
  }
  return { value: value[index], from: place, label: index };
}

function positionOf(name: string, names: readonly unknown[], keyField: string): number {
  const position = names.indexOf(name);
  if (position >= 0) return position;
  throw new PickFault(`"${keyField}" does not hold "${name}"${suggest(name, names.map(String))}`);
}

function flatten(place: Place, picked: Picked): void {
  const { value } = place;
  const { numbers, quaternions } = picked;
  if (isNumeric(value)) numbers.push(Number(value));
  else if (isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const each = value[i];
      if (isNumeric(each)) numbers.push(Number(each));
      else flatten(elementOf(place, i), picked);
    }
  } else if (isMessage(value)) {
    const names = Object.keys(value);
    if (isQuaternion(names)) quaternions.push(numbers.length);
    for (const name of names) flatten(fieldOf(place, name), picked);
  } else throw new PickFault(`"${where(place)}" is no number but ${describe(value)}`);
}

/** geometry_msgs/Quaternion, by its fields: the same message bears other names elsewhere. */
function isQuaternion([x, y, z, w, ...more]: readonly string[]): boolean {
  return x === 'x' && y === 'y' && z === 'z' && w === 'w' && more.length === 0;
}

function isNumeric(value: unknown): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isMessage(value: unknown): value is MessageValue {
  return typeof value === 'object' && value !== null && !isArray(value);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the text "${value}"`;
  if (isArray(value)) return `an array of ${value.length}`;
  return isMessage(value) ? 'a message' : `${typeof value} ${value}`;
}

/** `; did you mean "x"?`, or what there is. */
function suggest(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates);
  if (near) return `; did you mean "${near}"?`;
  return candidates.length > 0 ? `; there are: ${candidates.join(', ')}` : ' and is empty';
}
