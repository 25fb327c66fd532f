/**
 * The path from a message to the numbers of a feature:
 * `wrench.force`, `position[name=joint1..joint7]`, `data[0:6]`, `transforms[2].transform.rotation`.
 */
export type FieldPath = readonly FieldStep[];

export type FieldStep =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  /** Half-open range of elements. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number }
  /** Elements picked and ordered by a parallel array: `position[name=a,b]` looks `a` and `b` up in `name`. */
  | { readonly kind: 'named'; readonly keyField: string; readonly names: readonly string[] };

/** Parses a path, or says in one sentence what is wrong with it. */
export function parseFieldPath(text: string): { path: FieldPath } | { fault: string } {
  const path: FieldStep[] = [];
  const token = /(?:^|(?<=.)\.)(\w+)|\[([^\]]*)\]/y;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match) {
      return { fault: `field path "${text}" is not understood from "${text.slice(at)}" on; ${EXAMPLES}` };
    }
    if (match[1] !== undefined) {
      path.push({ kind: 'field', name: match[1] });
      continue;
    }
    const step = parseSelector(match[2]!);
    if (!step)
      return { fault: `selector "[${match[2]}]" of field path "${text}" is not understood; ${EXAMPLES}` };
    path.push(step);
  }
  if (path[0]?.kind !== 'field')
    return { fault: `field path "${text}" must begin with a field name; ${EXAMPLES}` };
  return { path };
}

const EXAMPLES = 'write "wrench.force", "data[0:6]" or "position[name=joint1..joint7]"';

function parseSelector(selector: string): FieldStep | undefined {
  const numbers = /^\s*(\d+)\s*(?::\s*(\d+)\s*)?$/.exec(selector);
  if (numbers) {
    const start = Number(numbers[1]);
    if (numbers[2] === undefined) return { kind: 'index', index: start };
    const end = Number(numbers[2]);
    return end > start ? { kind: 'range', start, end } : undefined;
  }
  const named = /^\s*(\w+)\s*=\s*(.+)$/.exec(selector);
  if (!named) return undefined;
  const names = named[2]!.split(',').flatMap((part) => expand(part.trim()));
  return names.length > 0 && names.every(Boolean) ? { kind: 'named', keyField: named[1]!, names } : undefined;
}

/** `joint1..joint3` → joint1, joint2, joint3; anything else stands for itself. */
function expand(part: string): string[] {
  const range = /^(.*?)(\d+)\.\.(.*?)(\d+)$/.exec(part);
  if (!range || range[1] !== range[3]) return [part];
  const [first, last] = [Number(range[2]), Number(range[4])];
  if (last < first) return [''];
  return Array.from({ length: last - first + 1 }, (_, i) => `${range[1]}${first + i}`);
}
