import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { type Contract, contractSchema, nearest } from './contract.ts';
import { ContractError, type ContractIssue, type SourcePosition, UsageError } from './errors.ts';

/** A checked contract with the text it came from; the text goes into every episode. */
export interface ContractFile {
  readonly contract: Contract;
  readonly text: string;
  /** `sha256:` and the hex digest of the text. */
  readonly digest: string;
}

/**
 * Reads and checks a contract.
 *
 * @throws {UsageError} when the file cannot be read.
 * @throws {ContractError} with every broken rule, each at its line.
 */
export async function readContract(file: string): Promise<ContractFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(
      `Cannot read contract "${file}": ${(cause as Error).message}. Give the path of a contract file.`,
      { cause },
    );
  }
  return parseContract(text, file);
}

/**
 * Checks a contract's text; `file` is only named in errors.
 *
 * @throws {ContractError} with every broken rule, each at its line.
 */
export function parseContract(text: string, file: string): ContractFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const position = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // Only the first: those that a YAML parser reports after it are mostly its consequences.
  const [fault] = document.errors;
  if (fault) {
    const rule = fault.message.split('\n')[0]!.replace(/ at line.*$/, '');
    throw new ContractError([{ position: position(fault.pos[0]), path: '', rule }]);
  }
  const parsed = contractSchema.safeParse(document.toJS());
  if (parsed.success) {
    return {
      contract: parsed.data,
      text,
      digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    };
  }
  const root = document.contents;
  const issues = parsed.error.issues.flatMap(({ code, path, message, ...rest }): ContractIssue[] => {
    const keys = path.map(String);
    if (code === 'unrecognized_keys') {
      const known = knownKeys(keys);
      return (rest as { keys: string[] }).keys.map((key) => {
        const near = nearest(key, known);
        return {
          position: position(keyOffset(root, [...keys, key])),
          path: [...keys, key].join('.'),
          rule: `unknown key "${key}"${near ? `; did you mean "${near}"?` : `; known keys: ${known.join(', ')}`}`,
        };
      });
    }
    return [{ position: position(valueOffset(root, keys)), path: keys.join('.'), rule: ruleOf(message) }];
  });
  throw new ContractError(issues);
}

/** The line of a contract's text, from 1, that a path into it leads to, or as far as it leads. */
export function contractLine(text: string, path: readonly string[]): number {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines });
  return Math.max(1, lines.linePos(valueOffset(contents, path)).line);
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
    if (!pair) return offset;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

/** The keys a strict object of the contract knows, for "did you mean". */
function knownKeys(path: readonly string[]): string[] {
  const [section, , ...rest] = path;
  if (rest.length > 0) return [];
  const { shape } = contractSchema;
  switch (section) {
    case undefined:
      return Object.keys(shape);
    case 'streams':
      return Object.keys(shape.streams.valueType.shape);
    case 'features':
      return [...new Set(shape.features.valueType.options.flatMap((option) => Object.keys(option.shape)))];
    case 'robot':
    case 'samples':
    case 'episode':
      return Object.keys(shape[section].shape);
    case 'split':
      return Object.keys(shape.split.unwrap().shape);
    default:
      return [];
  }
}
