import { readContract } from '../../schemas/contract-file.ts';
import { UsageError } from '../../schemas/errors.ts';
import { ensurePage } from '../../viewer/page-build.ts';
import { startReplayServer } from '../../viewer/server.ts';
import { EpisodeShelf } from '../../viewer/shelf.ts';
import { replayAdditions } from '../replay-additions/replay-additions.ts';
import type { ServingOptions } from '../serving-options.ts';

export interface ViewOptions extends Partial<ServingOptions> {
  /** What a policy sees of recordings that carry no contract. @default only of those that do */
  readonly contract?: string;
  /** Whether all clients of an episode share one playback. @default false */
  readonly shared?: boolean;
  /** Port to serve on; 0 takes a free one. @default 8765 */
  readonly port?: number;
}

/** A replay that is being served, and where. */
export interface RunningViewer {
  /** The replay page; undefined where it is not built and cannot be. */
  readonly pageUrl: string | undefined;
  /** Opens the Foxglove app on the first episode. */
  readonly foxgloveUrl: string;
  /** For every client of the Foxglove WebSocket; with `play` added it plays at once and over again. */
  readonly webSocketUrl: string;
  /** The first episode's file, readable by ranges. */
  readonly fileUrl: string;
  /** A layout for the first episode, to import into Foxglove or Lichtblick. */
  readonly layoutUrl: string;
  close(): Promise<void>;
}

/**
 * Serves episodes: files, or folders of them.
 *
 * @throws {UsageError} when a path does not exist, holds no episode, or the address cannot be served.
 */
export async function startViewer(
  paths: readonly string[],
  { contract, ...options }: ViewOptions = {},
): Promise<RunningViewer> {
  const shelf = await EpisodeShelf.of(paths);
  const first = await shelf.find();
  if (!first) {
    throw new UsageError(
      `Cannot view ${paths.map((path) => `"${path}"`).join(', ')}: there is no finished episode in it. ` +
        'Record one with "kinescribe record", or complete a ".part" file with "kinescribe recover".',
    );
  }
  const hasPage = await ensurePage();
  const server = await startReplayServer(shelf, {
    ...options,
    additionsOf: replayAdditions(contract ? (await readContract(contract)).contract : undefined),
    notice: (line) => console.error(line),
  });
  const webSocketUrl = server.url('/', 'ws');
  const id = encodeURIComponent(first.id);
  return {
    pageUrl: hasPage ? server.url('/') : undefined,
    foxgloveUrl: `https://app.foxglove.dev/~/view?ds=foxglove-websocket&ds.url=${encodeURIComponent(webSocketUrl)}`,
    webSocketUrl,
    fileUrl: server.url(`/files/${id}.mcap`),
    layoutUrl: server.url(`/layouts/${id}.lichtblick.json`),
    close: () => server.close(),
  };
}

/** Serves episodes until SIGINT or SIGTERM. */
export async function view(paths: readonly string[], options: ViewOptions = {}): Promise<number> {
  const viewer = await startViewer(paths, options);
  console.log(describeViewer(viewer));
  const stop = Promise.withResolvers<void>();
  process.once('SIGINT', stop.resolve);
  process.once('SIGTERM', stop.resolve);
  await stop.promise;
  process.off('SIGINT', stop.resolve);
  process.off('SIGTERM', stop.resolve);
  await viewer.close();
  return 0;
}

/** Where to look, one line each. */
export function describeViewer(viewer: RunningViewer): string {
  return [
    `Replay page   ${viewer.pageUrl ?? 'not built: run "npm run build:web" in the clone'}`,
    `Foxglove      ${viewer.foxgloveUrl}`,
    `WebSocket     ${viewer.webSocketUrl}   (add "play" to the query for a client without a playback bar)`,
    `MCAP file     ${viewer.fileUrl}   (Lichtblick and Foxglove open it as a remote file)`,
    `Layout        ${viewer.layoutUrl}`,
    'Stop with Ctrl+C.',
  ].join('\n');
}
