import type { IncomingMessage, ServerResponse } from 'node:http';
import { RecordError, UsageError } from '../schemas/errors.ts';
import { type RecordingControl, recordingCommandSchema } from '../schemas/recording-control.ts';
import { z } from '../schemas/validation.ts';
import { requestUrl } from './access.ts';
import { jsonText, sendJson } from './json.ts';
import { readJson } from './json-body.ts';
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
    const body = await readJson(request, response, { maxBytes: MAX_COMMAND_BYTES, noun: 'A command' });
    if (!body) return;
    const parsed = recordingCommandSchema.safeParse(body.json);
    if (!parsed.success) {
      sendJson(response, { error: `Not a command: ${z.prettifyError(parsed.error)}` }, 400);
      return;
    }
    try {
      await this.#control.command(parsed.data);
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
