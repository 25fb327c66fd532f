import { setTimeout as delay } from 'node:timers/promises';
import type { MessageSchema } from '../schemas/message.ts';
import { z } from '../schemas/validation.ts';
import { gatherDefinition } from './definitions.ts';
import { formatTypeHash } from './qos.ts';
import type { RosNode, RosPublisher } from './ros-node.ts';

const SERVICE_TYPE = 'type_description_interfaces/srv/GetTypeDescription';
/** A node that is there answers in milliseconds, once the middleware has connected the two. */
const TIMEOUT_MILLIS = 2000;

const answerSchema = z.object({
  successful: z.boolean(),
  /** Files of the type itself and of all that it is made of; the encoding is `msg` or `idl`. */
  type_sources: z.array(
    z.object({ type_name: z.string(), encoding: z.string(), raw_file_contents: z.string() }),
  ),
});

/**
 * Asks the publishers of a type for its definition, where no package of it is installed here. Nodes offer
 * this service since ROS 2 Jazzy, unless they were told not to. Over Cyclone DDS alone: rclnodejs 2.2 hands
 * Fast DDS requests whose strings it refuses, and has corrupted the memory of the process.
 *
 * @returns undefined where none of them knows.
 */
export async function askForDefinition(
  node: RosNode,
  topic: string,
  type: string,
): Promise<MessageSchema | undefined> {
  if (process.env.RMW_IMPLEMENTATION !== 'rmw_cyclonedds_cpp') return undefined;
  for (const { node: name, type: published, typeHash } of await namedPublishers(node, topic)) {
    const hash = formatTypeHash(typeHash ? [typeHash] : []);
    if (name === undefined || published !== type || hash === '') continue;
    const request = { type_name: type, type_hash: hash, include_type_sources: true };
    try {
      const answer = await node.call(`${name}/get_type_description`, SERVICE_TYPE, request, TIMEOUT_MILLIS);
      const { successful, type_sources: sources } = answerSchema.parse(answer);
      const files = new Map(
        sources.map((each) => [`${each.type_name}.${each.encoding}`, each.raw_file_contents]),
      );
      const definition = successful && (await gatherDefinition(type, async (path) => files.get(path)));
      if (definition) return definition;
    } catch {
      // Of no matter why: the next publisher may know, and that none does is told by the caller.
    }
  }
  return undefined;
}

/** The publishers of a topic, with names within two seconds: the graph may tell a node later than its publisher. */
export async function namedPublishers(node: RosNode, topic: string): Promise<readonly RosPublisher[]> {
  const endMillis = performance.now() + TIMEOUT_MILLIS;
  for (;;) {
    const publishers = node.publishers(topic);
    if (publishers.every(({ node: name }) => name !== undefined) || performance.now() > endMillis) {
      return publishers;
    }
    await delay(100);
  }
}
