import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { nearest } from './contract.ts';
import type { DocumentIssue, SourcePosition } from './errors.ts';
import type { z } from './validation.ts';

export interface YamlOptions<S extends z.ZodType> {
  /** Only named in errors. */
  readonly file: string;
  readonly schema: S;
  /** Makes the error of the broken rules. */
  readonly fault: (issues: readonly DocumentIssue[]) => Error;
}

/**
 * Reads YAML that a person wrote and checks it by a schema.
 *
 * @throws what `fault` makes of every broken rule, each at its line.
 */
export function parseYaml<S extends z.ZodType>(
  text: string,
  { file, schema, fault }: YamlOptions<S>,
): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const position = (offset: number) => positionAt(lines, offset, file);
  // Only the first: those that a YAML parser reports after it are mostly its consequences.
  const [broken] = document.errors;
  if (broken) {
    const rule = broken.message.split('\n')[0]!.replace(/ at line.*$/, '');
    throw fault([{ position: position(broken.pos[0]), path: '', rule }]);
  }
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const root = document.contents;
  const issues = parsed.error.issues.flatMap((issue): DocumentIssue[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, path);
      return issue.keys.map((key) => {
        const near = nearest(key, known);
        return {
          position: position(keyOffset(root, [...path, key])),
          path: [...path, key].join('.'),
          rule: `unknown key "${key}"${near ? `; did you mean "${near}"?` : `; known keys: ${known.join(', ')}`}`,
        };
      });
    }
    return [
      { position: position(valueOffset(root, path)), path: path.join('.'), rule: ruleOf(issue.message) },
    ];
  });
  throw fault(issues);
}

/** Where a path into a YAML text leads to, or as far as it leads; `file` is only named. */
export function yamlPosition(text: string, path: readonly string[], file: string): SourcePosition {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines });
  return positionAt(lines, valueOffset(contents, path), file);
}

function positionAt(lines: LineCounter, offset: number, file: string): SourcePosition {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

function ruleOf(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^Too small: /, '');
}

/** Offset of the value at a path, or of the deepest part of the path that exists. */
function valueOffset(root: Node | null, path: readonly string[]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    const next = isMap(node)
      ? node.items.find(({ key: k }) => isScalar(k) && String(k.value) === key)
      : undefined;
    const value = next ? next.value : childAt(node, key);
    if (value === undefined || value === null) return offset;
    node = value;
    offset = (value as Node).range?.[0] ?? offset;
  }
  return offset;
}

function childAt(node: unknown, key: string): unknown {
  const items = (node as { items?: unknown[] } | undefined)?.items;
  return isMap(node) ? undefined : items?.[Number(key)];
}

function keyOffset(root: Node | null, path: readonly string[]): number {
  let node: unknown = root;
  let offset = 0;
  for (const key of path) {
    const pair = isMap(node)
      ? node.items.find(({ key: k }) => isScalar(k) && String(k.value) === key)
      : undefined;
    if (!pair) {
      node = childAt(node, key);
      if (node === undefined) return offset;
      continue;
    }
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

/** The keys that strict objects know at a path into a document, for "did you mean". */
function knownKeys(schema: z.ZodType, path: readonly string[]): readonly string[] {
  const found = path.reduce((here, key) => here.flatMap((each) => below(each, key)), plain(schema));
  return [...new Set(found.flatMap((each) => Object.keys(partsOf(each).shape ?? {})))];
}

/** What stands behind defaults and alternatives. */
function plain(schema: z.ZodType): readonly z.ZodType[] {
  const { innerType, options } = partsOf(schema);
  if (innerType) return plain(innerType);
  return options ? options.flatMap(plain) : [schema];
}

function below(schema: z.ZodType, key: string): readonly z.ZodType[] {
  const { shape, valueType, element } = partsOf(schema);
  const next = shape?.[key] ?? valueType ?? element;
  return next ? plain(next) : [];
}

/** Zod tells of every schema what it is made of, each kind with parts of its own. */
function partsOf(schema: z.ZodType): SchemaParts {
  const def: object = schema.def;
  return def;
}

interface SchemaParts {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly valueType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}
