import type { IncomingMessage, ServerResponse } from 'node:http';
import { RecordError, UsageError } from '../schemas/errors.ts';
import {
  type RecordingCommand,
  type RecordingControl,
  recordingCommandSchema,
} from '../schemas/recording-control.ts';
import { z } from '../schemas/validation.ts';
import { requestUrl } from './access.ts';
import { jsonText, sendJson } from './json.ts';
import { METRICS_TYPE, metricsText } from './metrics.ts';

export interface RecordingDeskOptions {
  /** Whether `/metrics` is answered. */
  readonly metrics: boolean;
}

/** Watchers see the counts grow this often. */
const SHOW_MILLIS = 250;
const MAX_WATCHERS = 64;
/** A note of the greatest length, every character of it escaped. */
const MAX_COMMAND_BYTES = 64 << 10;

/** Serves one recording session over HTTP: its status, its events, its commands, its metrics. */
export class RecordingDesk {
  readonly #control: RecordingControl;
  readonly #metrics: boolean;
  readonly #watchers = new Set<ServerResponse>();
  /** Ends the showing; undefined while nobody watches. */
  #stopShowing: (() => void) | undefined;

  constructor(control: RecordingControl, { metrics }: RecordingDeskOptions) {
    this.#control = control;
    this.#metrics = metrics;
  }

  /**
   * Answers a request that was found to be welcome.
   *
   * @returns false where it is none of ours.
   */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname } = requestUrl(request);
    switch (`${request.method} ${pathname}`) {
      case 'HEAD /api/recording':
      case 'GET /api/recording':
        sendJson(response, this.#control.status());
        return true;
      case 'GET /api/recording/events':
        this.#admit(response);
        return true;
      case 'POST /api/recording':
        await this.#obey(request, response);
        return true;
      case 'GET /metrics':
        if (!this.#metrics) return false;
        response.writeHead(200, { 'Content-Type': METRICS_TYPE }).end(metricsText(this.#control.status()));
        return true;
      default:
        return false;
    }
  }

  /** Says goodbye to the watchers. */
  close(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  /** Server-Sent Events: the status now, after every change, and while the counts grow. */
  #admit(response: ServerResponse): void {
    if (this.#watchers.size >= MAX_WATCHERS) {
      sendJson(response, { error: `${MAX_WATCHERS} pages are watching, which is the limit` }, 503);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write(eventOf(this.#control));
    this.#watchers.add(response);
    response.once('close', () => {
      this.#watchers.delete(response);
      if (this.#watchers.size === 0) this.#stopShowing?.();
    });
    this.#stopShowing ??= this.#startShowing();
  }

  #startShowing(): () => void {
    const show = () => {
      const event = eventOf(this.#control);
      for (const watcher of this.#watchers) {
        // Whoever does not read gets nothing more until he does, then the newest; an ended one stays among the
        // watchers until its connection is gone.
        if (!watcher.writableEnded && !watcher.writableNeedDrain) watcher.write(event);
      }
    };
    const timer = setInterval(show, SHOW_MILLIS).unref();
    const unlisten = this.#control.listen(show);
    return () => {
      clearInterval(timer);
      unlisten();
      this.#stopShowing = undefined;
    };
  }

  async #obey(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A form of a foreign page cannot say this without asking first, and is never allowed to.
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      sendJson(response, { error: 'A command is sent as "Content-Type: application/json"' }, 415);
      return;
    }
    const text = await textOf(request);
    if (text === undefined) {
      response.setHeader('Connection', 'close'); // the rest of it is not read
      sendJson(response, { error: `A command has at most ${MAX_COMMAND_BYTES} bytes` }, 413);
      return;
    }
    const command = commandOf(text);
    if ('error' in command) {
      sendJson(response, command, 400);
      return;
    }
    try {
      await this.#control.command(command);
      sendJson(response, this.#control.status());
    } catch (error) {
      const status = error instanceof UsageError ? 409 : error instanceof RecordError ? 507 : undefined;
      if (!status) throw error;
      sendJson(response, { error: (error as Error).message }, status);
    }
  }
}

function eventOf(control: RecordingControl): string {
  return `data: ${jsonText(control.status())}\n\n`;
}

/** The request's body; undefined where it is longer than any command. */
async function textOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_COMMAND_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function commandOf(text: string): RecordingCommand | { readonly error: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { error: 'A command is a JSON object such as {"kind":"start"}' };
  }
  const parsed = recordingCommandSchema.safeParse(json);
  return parsed.success ? parsed.data : { error: `Not a command: ${z.prettifyError(parsed.error)}` };
}
