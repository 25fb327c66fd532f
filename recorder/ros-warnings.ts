import type { RequestedQos } from './qos.ts';
import type { RosPublisher } from './ros-node.ts';
import type { SourceWarning } from './source.ts';

/** What a ROS 2 source tells the operator: what was found, what it means, what to do. */

export function missingType(
  topic: string,
  type: string,
  { distro, cause }: { readonly distro: string; readonly cause: Error },
): SourceWarning {
  const packageName = type.split('/')[0]!;
  return {
    kind: 'missing-type',
    topic,
    message:
      `Topic "${topic}" is not recorded: its type "${type}" cannot be loaded (${cause.message}). Install the ` +
      `package with "sudo apt install ros-${distro}-${packageName.replaceAll('_', '-')}" or source the ` +
      'workspace that holds it, and start again.',
  };
}

export function missingDefinition(topic: string, type: string): SourceWarning {
  return {
    kind: 'missing-definition',
    topic,
    message:
      `Topic "${topic}" is recorded without the definition of "${type}": no folder of AMENT_PREFIX_PATH ` +
      'holds its .msg or .idl file, and no publisher tells it. Its messages can be replayed but not decoded; ' +
      'source the workspace that holds the package and record again.',
  };
}

/**
 * Fast DDS refuses a second type on a topic within one process; Cyclone DDS does not.
 *
 * @param types the one that is recorded already, and the second.
 */
export function secondType(
  topic: string,
  [first, second]: readonly [string, string],
  { publishers, isRecorded }: { readonly publishers: readonly RosPublisher[]; readonly isRecorded: boolean },
): SourceWarning {
  const consequence = isRecorded
    ? 'Both are recorded, each as a channel of its own; a reader that goes by topic sees only one.'
    : 'The second is not recorded, because the middleware refuses it. Let the nodes agree on one.';
  return {
    kind: 'second-type',
    topic,
    message:
      `Topic "${topic}" has a second type: "${second}" from ${namesOf(publishers)}, besides "${first}". ` +
      consequence,
  };
}

/** The publishers of a topic went away, and those that came have another definition. */
export function changedDefinition(
  topic: string,
  type: string,
  publishers: readonly RosPublisher[],
): SourceWarning {
  return {
    kind: 'definition-changed',
    topic,
    message:
      `Topic "${topic}" is published with another definition of "${type}" now, by ${namesOf(publishers)}. It goes on ` +
      'as a channel of its own, with that definition; messages of the seconds before may still lie in the old one.',
  };
}

/** @param byHash publishers by the hash of the definition that they have; two or more. */
export function disputedDefinition(
  topic: string,
  byHash: ReadonlyMap<string, readonly RosPublisher[]>,
): SourceWarning {
  const parties = [...byHash].map(([hash, publishers]) => `${namesOf(publishers)} ${shortHash(hash)}`).sort();
  return {
    kind: 'definition-disputed',
    topic,
    message:
      `The publishers of topic "${topic}" disagree on the definition of its type: ${parties.join(', ')}. Nothing ` +
      'tells their messages apart; all are recorded by one definition, and those of the others may decode to wrong ' +
      'values. Build the nodes from one workspace.',
  };
}

export function foreignDefinition(
  topic: string,
  hash: string,
  publishers: readonly RosPublisher[],
): SourceWarning {
  return {
    kind: 'definition-disputed',
    topic,
    message:
      `The definition of topic "${topic}" is that of the package installed here, but ${namesOf(publishers)} has ` +
      `another, ${shortHash(hash)}, and does not tell it: messages may decode to wrong values. Source the workspace ` +
      'that the robot runs and start again.',
  };
}

/** Enough of a type hash to tell it from another. */
function shortHash(hash: string): string {
  return `${hash.slice(0, 15)}…`;
}

export function changedQos(topic: string, { reliability, durability }: RequestedQos): SourceWarning {
  return {
    kind: 'qos-changed',
    topic,
    message:
      `Topic "${topic}" is subscribed to anew as ${reliability} and ${durability}, because a publisher ` +
      'offers another quality of service than those before it. Messages of this instant may be missing.',
  };
}

export function unmatchedQos(topic: string, publishers: readonly RosPublisher[]): SourceWarning {
  const offers = publishers.map(({ qos }) => `${qos.reliability} and ${qos.durability}`);
  return {
    kind: 'qos-unmatched',
    topic,
    message:
      `Nothing of ${namesOf(publishers)} is heard on topic "${topic}": the contract's "qos" asks for more than ` +
      `they offer, ${[...new Set(offers)].join(', ')}. Ask for that, or leave "qos" out.`,
  };
}

export function gonePublishers(topic: string): SourceWarning {
  return {
    kind: 'publishers-gone',
    topic,
    message: `Topic "${topic}" has no publisher any more. Recording of it goes on when one comes back.`,
  };
}

function namesOf(publishers: readonly RosPublisher[]): string {
  const names = new Set(publishers.map(({ node }) => (node ? `"${node}"` : 'a nameless node')));
  return [...names].sort().join(', '); // the graph has no order
}
