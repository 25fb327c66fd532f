import type { LiveStreams } from '../schemas/live-streams.ts';
import type { RecordingControl } from '../schemas/recording-control.ts';
import { ensurePage } from '../viewer/page-build.ts';
import { type ReplayServer, startReplayServer } from '../viewer/server.ts';
import { EpisodeShelf } from '../viewer/shelf.ts';
import type { CommandOptions } from './command.ts';

/**
 * Serves the operator's page for a running session, the robot's streams and the session's library, as `record` was told to: `--serve`
 * with or without a port, `--host`, `--token`, `--metrics`.
 *
 * @throws {UsageError} when the address cannot be served.
 */
export async function serveRecording(
  recording: RecordingControl,
  live: LiveStreams,
  { out, serve, host, token, metrics }: CommandOptions,
): Promise<ReplayServer> {
  await ensurePage();
  return startReplayServer(await EpisodeShelf.of([String(out)]), {
    ...(typeof serve === 'number' && { port: serve }),
    ...(typeof token === 'string' && { token }),
    host: String(host),
    metrics: metrics === true,
    recording,
    live,
    notice: (line) => console.error(line),
  });
}
