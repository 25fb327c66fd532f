import { statementSchema } from '../schemas/labels.ts';
import { z } from '../schemas/validation.ts';

/** What a client publishes here becomes a label of the episode that it looks at. */
export const PUBLISH_TOPIC = '/kinescribe/label';

/** `std_msgs/msg/String`, as the Publish panels of Foxglove and Lichtblick send it. */
const named = z.object({ data: z.string().trim().min(1).max(200) });
const text = new TextDecoder();

/**
 * Reads a published message: a string names a mark at the instant that is shown, anything else is a statement
 * as labels files hold it.
 *
 * @returns the statement, or in one sentence what is wrong with the message.
 */
export function publishedLabel(
  payload: Uint8Array,
  shownTime: bigint,
): z.infer<typeof statementSchema> | { readonly fault: string } {
  let json: unknown;
  try {
    json = JSON.parse(text.decode(payload));
  } catch {
    return { fault: `Messages on ${PUBLISH_TOPIC} must be JSON: {"data": "grasp"} marks this instant` };
  }
  const mark = named.safeParse(json);
  if (mark.success) {
    const span = { startTime: shownTime, endTime: shownTime };
    return { author: 'foxglove', label: { kind: 'mark', name: mark.data.data, ...span } };
  }
  const statement = statementSchema.safeParse(json);
  if (statement.success) return statement.data;
  const [issue] = statement.error.issues;
  return { fault: `A label on ${PUBLISH_TOPIC} is wrong: ${issue?.path.join('.')}: ${issue?.message}` };
}
