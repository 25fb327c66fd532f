import type { ServerResponse } from 'node:http';
import type { LibraryEvent } from './api.ts';
import { sendJson } from './json.ts';
import type { EpisodeShelf } from './shelf.ts';

const MAX_WATCHERS = 64;
/** Less than the minute after which proxies take a silent connection for dead. */
const ALIVE_MILLIS = 25_000;

/** Server-Sent Events for pages that show what others may change: each names an episode to look at again. */
export class LibraryEvents {
  readonly #watchers = new Set<ServerResponse>();
  readonly #unlisten: () => void;
  readonly #alive: NodeJS.Timeout;

  constructor(shelf: EpisodeShelf) {
    this.#unlisten = shelf.listen((id) => this.announce({ id }));
    this.#alive = setInterval(() => this.#send(':\n\n'), ALIVE_MILLIS).unref();
  }

  /** A page that watches from now on. */
  admit(response: ServerResponse): void {
    if (this.#watchers.size >= MAX_WATCHERS) {
      sendJson(response, { error: `${MAX_WATCHERS} pages are watching, which is the limit` }, 503);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write(':\n\n');
    this.#watchers.add(response);
    response.once('close', () => this.#watchers.delete(response));
  }

  announce(event: LibraryEvent): void {
    this.#send(`data: ${JSON.stringify(event)}\n\n`);
  }

  /** Says goodbye to the watchers. */
  close(): void {
    clearInterval(this.#alive);
    this.#unlisten();
    for (const watcher of this.#watchers) watcher.end();
  }

  #send(text: string): void {
    for (const watcher of this.#watchers) {
      // Whoever does not read misses events; a page asks anew when its connection comes back.
      if (watcher.writableEnded) continue;
      if (watcher.writableNeedDrain) watcher.destroy();
      else watcher.write(text);
    }
  }
}
