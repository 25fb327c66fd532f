import type { CheckRecord } from '../../converters/quality/check.ts';
import { CHECKS } from '../../converters/quality/checks.ts';
import { LIBRARY_CHECKS } from '../../converters/quality/library/library-checks.ts';
import { UsageError } from '../../schemas/errors.ts';
import type { CommandOptions } from '../command.ts';

/** Checks of episodes, then those of libraries. */
export const EXPLAINED: readonly CheckRecord[] = [...CHECKS, ...LIBRARY_CHECKS];

/** `kinescribe explain`: what a check looks for and what to do about it; without an id the table of all. */
export async function explain([id]: readonly string[], options: CommandOptions): Promise<number> {
  if (id === undefined) {
    process.stdout.write(options.markdown ? checksMarkdown() : `${checkRows().map(plainRow).join('\n')}\n`);
    return 0;
  }
  const check = EXPLAINED.find((each) => each.id === id.toUpperCase());
  if (!check) {
    throw new UsageError(
      `Cannot explain "${id}": no check has this id. "kinescribe explain" lists all of them.`,
    );
  }
  process.stdout.write(`${explanationLines(check).join('\n')}\n`);
  return 0;
}

/** A check in words. */
export function explanationLines(check: CheckRecord): string[] {
  const { id, title, claim, runs, explain: words } = check;
  const parts = {
    cause: words.cause,
    formula: words.formula,
    limits: limitsText(check),
    claim: CLAIMS[claim],
    runs: RUNS[runs],
    remedy: words.remedy,
    example: words.example,
    source: words.source,
  };
  const lines = Object.entries(parts).map(([part, text]) => `  ${part.padEnd(8)} ${text}`);
  return [`${id} ${title}`, ...lines];
}

const CLAIMS = {
  DEFECT: 'a defect: a failure excludes the episode, a warning sends it to review',
  RISK: 'a risk: a failure sends the episode to review, it never excludes',
  CHARACTERISTIC: 'a characteristic: it only describes',
} as const;

const RUNS = {
  live: 'while recording, after the take and over a library',
  take: 'after the take and over a library',
  library: 'over a library',
} as const;

function limitsText({ limits, unit }: CheckRecord): string {
  if (!limits) return 'none; it states its result itself';
  const { warn, fail, bad = 'above', validated } = limits;
  const beyond = (limit: number) => `${bad} ${limit}${unit && ` ${unit}`}`;
  const parts = [
    ...(warn === undefined ? [] : [`warns ${beyond(warn)}`]),
    ...(fail === undefined ? [] : [`fails ${beyond(fail)}`]),
  ];
  const text = parts.length > 0 ? parts.join(', ') : 'by the formula';
  return validated ? text : `${text} (of our own, not validated on a real robot)`;
}

const HEADINGS = ['id', 'check', 'claim', 'runs', 'limits'] as const;

function checkRows(): string[][] {
  return EXPLAINED.map((check) => [check.id, check.title, check.claim, check.runs, limitsText(check)]);
}

function plainRow([id, title, claim, runs, limits]: readonly string[]): string {
  return `${id}  ${title!.padEnd(36)}  ${claim!.padEnd(14)}  ${runs!.padEnd(7)}  ${limits}`;
}

/** The table of all checks, as `converters/quality/checks.md` holds it. */
export function checksMarkdown(): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = [row(HEADINGS), row(HEADINGS.map(() => '---'))];
  const text =
    'Every check, as `kinescribe explain` lists it; `kinescribe explain T07` says what one of them means. Made by ' +
    '`kinescribe explain --markdown`.';
  return `# Checks\n\n${text}\n\n${[...head, ...checkRows().map(row)].join('\n')}\n`;
}
