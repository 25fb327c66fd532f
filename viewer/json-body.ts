import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './json.ts';

export interface JsonBodyOptions {
  readonly maxBytes: number;
  /** What the body is, at the start of a sentence: `A command`. */
  readonly noun: string;
}

/** A request's body; undefined where it is not JSON that we take, which the sender has been told then. */
export async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, noun }: JsonBodyOptions,
): Promise<{ readonly json: unknown } | undefined> {
  // A form of a foreign page cannot say this without asking first, and is never allowed to.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    sendJson(response, { error: `${noun} is sent as "Content-Type: application/json"` }, 415);
    return undefined;
  }
  const text = await textOf(request, maxBytes);
  if (text === undefined) {
    response.setHeader('Connection', 'close'); // the rest of it is not read
    sendJson(response, { error: `${noun} has at most ${maxBytes} bytes` }, 413);
    return undefined;
  }
  try {
    return { json: JSON.parse(text) };
  } catch {
    sendJson(response, { error: `${noun} is a JSON object` }, 400);
    return undefined;
  }
}

/** Undefined where it is longer than allowed. */
async function textOf(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
