import type { ServerResponse } from 'node:http';

/** JSON as our API speaks it: instants, which JSON numbers would round, are decimal strings. */
export function jsonText(body: object): string {
  return JSON.stringify(body, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

export function sendJson(response: ServerResponse, body: object, status = 200): void {
  const text = jsonText(body);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
