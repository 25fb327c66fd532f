import type { MessageSchema } from '../schemas/message.ts';
import { loadDefinition, loadTypeHash } from './definitions.ts';
import { formatTypeHash } from './qos.ts';
import type { RosNode, RosPublisher } from './ros-node.ts';
import { askForDefinition } from './ros-type-description.ts';
import { disputedDefinition, foreignDefinition } from './ros-warnings.ts';
import type { SourceWarning } from './source.ts';

/** What the messages of one type on one topic are recorded by. */
export interface RosDefinition {
  /** Undefined where nobody tells it. */
  readonly schema: MessageSchema | undefined;
  /** Of the publishers, `RIHS01_…`; empty where none tells, or two disagree. */
  readonly hash: string;
  /** Whether the schema is that of the package installed here, and the publishers have another. */
  readonly isForeign: boolean;
}

/**
 * Finds the definition that the publishers of a topic have: of the package installed here where it is the same,
 * else by asking them.
 *
 * @param prefixes install folders in order of precedence.
 */
export async function findDefinition(
  node: RosNode,
  {
    topic,
    type,
    prefixes,
  }: { readonly topic: string; readonly type: string; readonly prefixes: readonly string[] },
): Promise<RosDefinition> {
  const hash = publishedHash(node.publishers(topic).filter((publisher) => publisher.type === type));
  const installed = await loadDefinition(type, prefixes);
  const installedHash = installed && hash !== '' ? await loadTypeHash(type, prefixes) : undefined;
  const isForeign = installedHash !== undefined && installedHash !== hash;
  if (installed && !isForeign) return { schema: installed, hash, isForeign };
  const asked = await askForDefinition(node, topic, type);
  return { schema: asked ?? installed, hash, isForeign: isForeign && !asked };
}

/** The hash of the definition that all publishers have; empty where none tells, or two disagree. */
export function publishedHash(publishers: readonly RosPublisher[]): string {
  return formatTypeHash(publishers.flatMap(({ typeHash }) => typeHash ?? []));
}

/** Why messages of a topic may not be what their definition says; undefined while nothing speaks for it. */
export function definitionDispute(
  topic: string,
  { hash, isForeign }: RosDefinition,
  publishers: readonly RosPublisher[],
): SourceWarning | undefined {
  const byHash = Map.groupBy(publishers, (publisher) => publishedHash([publisher]));
  byHash.delete('');
  if (byHash.size > 1) return disputedDefinition(topic, byHash);
  return isForeign ? foreignDefinition(topic, hash, publishers) : undefined;
}
