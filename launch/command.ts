/** What a command line says to a command; parsed, not yet checked against the world. */
export type CommandOptions = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** One command of the program, as the help shows it and the parser reads it. */
export interface Command {
  /** `convert`, or `contract check` for a command inside a group. */
  readonly name: string;
  readonly summary: string;
  /** Commander's form: `<episode...>`, `[directory]`. @default none */
  readonly arguments?: string;
  readonly options?: readonly CommandOption[];
  /** Command lines that work as they stand, each with what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** @returns the exit code: 0 done, 1 failed, 2 wrong use, 3 done with losses or faults. */
  run(args: readonly string[], options: CommandOptions): Promise<number>;
}

export interface CommandOption {
  /** Commander's form: `-o, --out <folder>`. */
  readonly flags: string;
  readonly text: string;
  readonly value?: 'number';
  readonly default?: string | number | boolean;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}
