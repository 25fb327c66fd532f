import { startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';

/**
 * A replay server in a process of its own, for figures that a client in the same process would spoil. Says its
 * port, and answers every message with what it uses.
 */
const server = await startReplayServer(await EpisodeShelf.of(process.argv.slice(2)), { port: 0 });

export interface Usage {
  readonly rssBytes: number;
  readonly cpuSecs: number;
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const usage: Usage = { rssBytes: process.memoryUsage.rss(), cpuSecs: (user + system) / 1e6 };
  process.send?.(usage);
});
process.on('disconnect', () => process.exit());
process.send?.(server.address.port);
