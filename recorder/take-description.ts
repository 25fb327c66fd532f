import { randomBytes } from 'node:crypto';
import type { Contract } from '../schemas/contract.ts';
import type { EpisodeInfo } from '../schemas/episode.ts';
import { UsageError } from '../schemas/errors.ts';
import type { RecordingCommand } from '../schemas/recording-control.ts';

/** What is known of a take before it begins; remembered from one take to the next. */
export type TakeDescription = Pick<EpisodeInfo, 'task' | 'operator' | 'session' | 'scene' | 'object'>;

/** What an operator says of the next take; what he leaves out stays, null takes a word back. */
export type Description = Omit<Extract<RecordingCommand, { kind: 'describe' }>, 'kind'>;

/**
 * The next take's description after an operator has spoken.
 *
 * @throws {UsageError} when the contract does not list what he said.
 */
export function described(
  before: TakeDescription,
  said: Description,
  { episode }: Contract,
): TakeDescription {
  checkListed('Task', said.task, episode.tasks);
  checkListed('Scene', said.scene, episode.scenes);
  checkListed('Object', said.object, episode.objects);
  const { session, task, operator } = before;
  const { scene = before.scene, object = before.object } = said;
  return {
    task: said.task ?? task,
    operator: said.operator ?? operator,
    ...(session && { session }),
    ...(scene && { scene }),
    ...(object && { object }),
  };
}

function checkListed(what: string, said: string | null | undefined, listed: readonly string[]): void {
  if (said === undefined || said === null || listed.includes(said)) return;
  const found = listed.length > 0 ? listed.map((each) => `"${each}"`).join(', ') : 'it lists none';
  throw new UsageError(`${what} "${said}" is not one of the contract's: ${found}.`);
}

/** Names one run of the recorder: `2026-11-22T07-35-12Z-3f9a1c`. */
export function newSessionId(): string {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return `${time.replaceAll(':', '-')}-${randomBytes(3).toString('hex')}`;
}
