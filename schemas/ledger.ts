import { nanosText, z } from './validation.ts';

/** Why messages that existed are not in the file. */
export const lossCauseSchema = z.enum([
  /** The recorder's queue was full; counted exactly. */
  'queue-full',
  /** Sensor times jumped by more than the stream's largest gap; the number is inferred from its rate. */
  'gap',
  /** The first message came late; inferred from the rate. */
  'late-start',
  /** The stream ended before the take did; inferred from the rate. */
  'early-end',
  /** Nobody published the stream any more; inferred from the rate, or the mere span of it. */
  'publisher-gone',
  /** A stream of the contract never sent anything. */
  'silent',
  /** The file was not closed properly and its damaged or missing part could not be read back. */
  'damaged',
]);

const entrySchema = z.strictObject({
  topic: z.string(),
  cause: lossCauseSchema,
  /** Messages lost; null where not even an estimate is possible. */
  messages: z.int().nonnegative().nullable(),
  /** Half-open range of log times in which they would have been. */
  startTime: nanosText,
  endTime: nanosText,
});

const totalSchema = z.strictObject({
  topic: z.string(),
  received: z.int().nonnegative(),
  written: z.int().nonnegative(),
});

/** The account of one take: what came, what was written, and every loss by topic, cause and time. */
export const ledgerSchema = z.strictObject({
  totals: z.array(totalSchema),
  losses: z.array(entrySchema),
  /**
   * Datagrams that the kernel dropped during the take because a receive buffer was full; of which topics it
   * does not say. What was not sent again is among the losses. Absent where there were none.
   */
  droppedDatagrams: z.int().positive().optional(),
});

export type LossCause = z.infer<typeof lossCauseSchema>;
export type Loss = Readonly<z.infer<typeof entrySchema>>;
export type StreamTotal = Readonly<z.infer<typeof totalSchema>>;
export interface Ledger {
  readonly totals: readonly StreamTotal[];
  readonly losses: readonly Loss[];
  readonly droppedDatagrams?: number | undefined;
}

/** Messages lost per topic, counted and inferred together. */
export function lossesByTopic({ losses }: Ledger): ReadonlyMap<string, readonly Loss[]> {
  return Map.groupBy(losses, ({ topic }) => topic);
}

/** The JSON text of a ledger, as the episode file carries it; instants are decimal strings. */
export function encodeLedger(ledger: Ledger): string {
  return JSON.stringify(
    ledgerSchema.encode({ ...ledger, totals: [...ledger.totals], losses: [...ledger.losses] }),
  );
}

/** @throws {z.ZodError | SyntaxError} when the text is not a ledger. */
export function decodeLedger(text: string): Ledger {
  return ledgerSchema.decode(JSON.parse(text));
}
