import type { LiveStreams } from '../schemas/live-streams.ts';
import type { RecordingControl } from '../schemas/recording-control.ts';
import { ensurePage } from '../viewer/page-build.ts';
import { type ReplayServer, startReplayServer } from '../viewer/server.ts';
import { EpisodeShelf } from '../viewer/shelf.ts';
import type { CommandOptions } from './command.ts';
import { replayAdditions } from './replay-additions/replay-additions.ts';
import { servingOptions } from './serving-options.ts';

/**
 * Serves the operator's page for a running session, the robot's streams and the session's library, as `record`
 * was told to: `--serve` with or without a port, `--metrics`, and who may come.
 *
 * @throws {UsageError} when the address cannot be served.
 */
export async function serveRecording(
  recording: RecordingControl,
  live: LiveStreams,
  options: CommandOptions,
): Promise<ReplayServer> {
  const { out, serve, metrics } = options;
  await ensurePage();
  return startReplayServer(await EpisodeShelf.of([String(out)]), {
    ...(typeof serve === 'number' && { port: serve }),
    ...(await servingOptions(options)),
    metrics: metrics === true,
    recording,
    live,
    additionsOf: replayAdditions(),
    notice: (line) => console.error(line),
  });
}
