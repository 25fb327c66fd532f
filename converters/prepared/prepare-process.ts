/** A program: prepares episodes for the process that started it, one after the other; see `prepare-pool.ts`. */
import { ConvertError, StorageError } from '../../schemas/errors.ts';
import { isEpisodeFault } from './episode-fault.ts';
import { prepareEpisode } from './prepare-episode.ts';
import type { PrepareReply, PrepareRequest } from './prepare-pool.ts';

const ending = new AbortController();
process.on('disconnect', () => ending.abort());
process.on('message', async (request: PrepareRequest) => {
  const reply = await prepareEpisode(request, {
    onFrame: () => send({ kind: 'frame' }),
    signal: ending.signal,
  }).then(
    (name): PrepareReply => ({ kind: 'prepared', name }),
    (error: unknown): PrepareReply => describe(error),
  );
  if (process.connected) send(reply);
});

function send(reply: PrepareReply): void {
  // Whoever asked may have been killed; then the disconnection ends this.
  if (process.connected) process.send?.(reply, undefined, undefined, () => {});
}

function describe(error: unknown): PrepareReply {
  const { message, stack = '' } = error instanceof Error ? error : new TypeError(String(error));
  if (error instanceof StorageError) return { kind: 'refused', message };
  if (!isEpisodeFault(error)) return { kind: 'broken', message, stack };
  const path = error instanceof ConvertError ? error.contractPath : undefined;
  return { kind: 'faulty', message, ...(path && { contractPath: path }) };
}
