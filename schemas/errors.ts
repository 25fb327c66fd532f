/**
 * Faults that a caller can act on. Each message says the action, the rule, what was found and what
 * to do next. Misuse by a programmer stays a built-in TypeError or RangeError.
 */
export abstract class KinescribeError extends Error {
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** Closes what was found, so that advice may follow; a question keeps its mark. */
export function sentence(found: string): string {
  return found.endsWith('?') ? found : `${found}.`;
}

/** Wrong arguments, or a named file that does not exist: the command did nothing. */
export class UsageError extends KinescribeError {
  readonly code = 'USAGE';
}

/** The place in a YAML file that an error points at; lines and columns count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One broken rule of a YAML file that a person wrote. */
export interface DocumentIssue {
  readonly position: SourcePosition;
  /** Dotted path into the document, `streams.joints.rateHz`. */
  readonly path: string;
  /** What the rule asks and what was found. */
  readonly rule: string;
}

/** A YAML file that breaks its rules; lists every broken rule, not only the first. */
export abstract class DocumentError extends KinescribeError {
  readonly issues: readonly DocumentIssue[];

  constructor(issues: readonly DocumentIssue[], options?: ErrorOptions) {
    const lines = issues.map(
      ({ position: { file, line, column }, path, rule }) =>
        `${file}:${line}:${column}  ${path || '(document)'}: ${rule}`,
    );
    super(lines.join('\n'), options);
    this.issues = issues;
  }
}

export class ContractError extends DocumentError {
  readonly code = 'CONTRACT';
}

/** A plan of a collection that breaks its rules, or asks for what the contract does not list. */
export class PlanError extends DocumentError {
  readonly code = 'PLAN';
}

/** A file that is not a readable episode. */
export class EpisodeError extends KinescribeError {
  readonly code = 'EPISODE';
  readonly file: string;

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.file = file;
  }
}

/** A message that its own channel's definition cannot decode. */
export class MessageError extends KinescribeError {
  readonly code = 'MESSAGE';
  readonly topic: string;

  constructor(topic: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.topic = topic;
  }
}

/** A source of messages that cannot start or broke off. */
export class SourceError extends KinescribeError {
  readonly code = 'SOURCE';
}

/** Recording cannot go on: disk full, folder gone, worker died. The episode so far is kept. */
export class RecordError extends KinescribeError {
  readonly code = 'RECORD';
}

/** A disk that refuses to be written: full, or not ours to write. What was done so far is kept. */
export class StorageError extends KinescribeError {
  readonly code = 'STORAGE';
}

/** An episode cannot become samples under this contract. */
export class ConvertError extends KinescribeError {
  readonly code = 'CONVERT';
  /** The part of the contract that does not fit the recording: `['streams', 'joints', 'topic']`. */
  readonly contractPath: readonly string[] | undefined;

  constructor(message: string, options: ErrorOptions & { readonly contractPath?: readonly string[] } = {}) {
    super(message, options);
    this.contractPath = options.contractPath;
  }
}

/** A dataset that is not what its manifest, its format or its recording says. */
export class DatasetError extends KinescribeError {
  readonly code = 'DATASET';
}

/** Something that this machine lacks: ROS 2, a video encoder. The message says how to get it. */
export class MissingFeatureError extends KinescribeError {
  readonly code = 'MISSING_FEATURE';
}
