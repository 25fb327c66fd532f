import { nearest, type SampleClock } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { ConvertError, sentence } from '../schemas/errors.ts';
import type { Message, MessageValue } from '../schemas/message.ts';
import { createDecoder, type Decode } from '../schemas/message-codec.ts';
import { type Stamp, stampToNanos } from '../schemas/time.ts';
import type { Received } from './clock-steps.ts';

/** One transform of a `tf2_msgs/msg/TFMessage`: where the child frame lies in its parent, parent-from-child. */
export interface TransformSample {
  readonly parent: string;
  readonly child: string;
  readonly stampTime: bigint;
  /** `geometry_msgs/msg/Transform`: translation and rotation. */
  readonly transform: MessageValue;
}

/** What the recording says of one frame. */
export interface TransformEdge {
  readonly child: string;
  readonly parents: ReadonlySet<string>;
  readonly isStatic: boolean;
  readonly first: Received;
  readonly last: Received;
  /** The last one sent. */
  readonly transform: MessageValue;
}

/** A step of a chain: parent-from-child, or its inverse. */
export interface ChainLink {
  readonly edge: TransformEdge;
  readonly isInverse: boolean;
}

/** The transforms of a message, decoded once even when several frames are asked for. */
export class TransformDecoder {
  readonly #decode = new Map<number, Decode>();
  #message: Message | undefined;
  #transforms: readonly TransformSample[] = [];

  transforms(message: Message): readonly TransformSample[] {
    if (message === this.#message) return this.#transforms;
    const { channel, data } = message;
    const decode = this.#decode.get(channel.id) ?? createDecoder(channel);
    this.#decode.set(channel.id, decode);
    this.#message = message;
    this.#transforms = samplesOf(decode(data), channel.topic);
    return this.#transforms;
  }
}

/** The part of a decoded `geometry_msgs/msg/TransformStamped` that places a frame. */
interface TransformStamped {
  readonly header: { readonly frame_id: string; readonly stamp: Stamp };
  readonly child_frame_id: string;
  readonly transform: MessageValue;
}

function samplesOf({ transforms }: MessageValue, topic: string): readonly TransformSample[] {
  if (!Array.isArray(transforms) || !transforms.every(isTransformStamped)) {
    throw new ConvertError(
      `Cannot look frames up on "${topic}": its messages are no tf2_msgs/msg/TFMessage. Correct the stream's topic.`,
    );
  }
  return transforms.map(({ header, child_frame_id, transform }) => ({
    parent: plainFrame(header.frame_id),
    child: plainFrame(child_frame_id),
    stampTime: stampToNanos(header.stamp),
    transform,
  }));
}

function isTransformStamped(value: unknown): value is TransformStamped {
  const { header, child_frame_id, transform } = value as Partial<TransformStamped>;
  return header?.stamp !== undefined && typeof child_frame_id === 'string' && transform !== undefined;
}

/** ROS 1 began frames with a slash; the frames are the same. */
function plainFrame(frame: string): string {
  return frame.replace(/^\//, '');
}

/** A topic of transforms. */
export interface TransformTopic {
  /** Whether its frames never move. */
  readonly isStatic: boolean;
  readonly clock: SampleClock;
}

/** The instant of a transform: its own stamp, or one of its message's. */
export function transformTime(
  { stampTime }: TransformSample,
  { message, clock }: { readonly message: Message; readonly clock: SampleClock },
): bigint {
  return { sensor: stampTime, publish: message.publishTime, log: message.logTime }[clock];
}

/** Reads all transforms of an episode once, by frame. */
export async function readTransforms(
  reader: EpisodeReader,
  topics: ReadonlyMap<string, TransformTopic>,
): Promise<ReadonlyMap<string, TransformEdge>> {
  const edges = new Map<string, TransformEdge>();
  const decoder = new TransformDecoder();
  for await (const message of reader.messages({ topics: topics.keys() })) {
    const { isStatic, clock } = topics.get(message.channel.topic)!;
    for (const sample of decoder.transforms(message)) {
      const { parent, child, transform } = sample;
      const known = edges.get(child);
      const received = { time: transformTime(sample, { message, clock }), logTime: message.logTime };
      edges.set(child, {
        child,
        parents: new Set(known?.parents).add(parent),
        isStatic: isStatic && (known?.isStatic ?? true),
        first: known?.first ?? received,
        last: received,
        transform,
      });
    }
  }
  return edges;
}

/**
 * The steps from the source frame to the target frame, the one next to the source first.
 *
 * @throws {ConvertError} when nothing connects them, or a frame on the way has two parents.
 */
export function transformChain(
  edges: ReadonlyMap<string, TransformEdge>,
  {
    target,
    source,
    file,
    key,
  }: { readonly target: string; readonly source: string; readonly file: string; readonly key: string },
): readonly ChainLink[] {
  const up = ancestry(edges, source, file);
  const down = ancestry(edges, target, file);
  const frames = [source, ...up.map(parentOf)];
  const meeting = [target, ...down.map(parentOf)].findIndex((frame) => frames.includes(frame));
  if (meeting < 0) {
    const known = new Set([...edges.keys(), ...edges.values().flatMap(({ parents }) => parents)]);
    const strange = [target, source].find((frame) => !known.has(frame));
    const near = strange && nearest(strange, known);
    const found =
      strange === undefined
        ? 'their trees are not connected'
        : `there is no frame "${strange}"${near ? `; did you mean "${near}"?` : `; there are: ${[...known].sort().join(', ')}`}`;
    throw new ConvertError(
      `Cannot find "${target}" from "${source}" in "${file}": ${sentence(found)} Correct the feature's transform, or ` +
        'name the stream of the fixed frames as "static".',
      { contractPath: ['features', key, 'transform', 'source'] },
    );
  }
  const common = [target, ...down.map(parentOf)][meeting]!;
  return [
    ...up.slice(0, frames.indexOf(common)).map((edge) => ({ edge, isInverse: false })),
    ...down
      .slice(0, meeting)
      .reverse()
      .map((edge) => ({ edge, isInverse: true })),
  ];
}

function parentOf({ parents }: TransformEdge): string {
  return [...parents][0]!;
}

function ancestry(edges: ReadonlyMap<string, TransformEdge>, frame: string, file: string): TransformEdge[] {
  const way: TransformEdge[] = [];
  for (let edge = edges.get(frame); edge && !way.includes(edge); edge = edges.get(parentOf(edge))) {
    if (edge.parents.size > 1) {
      throw new ConvertError(
        `Cannot place frame "${edge.child}" in "${file}": it has the parents ${[...edge.parents].sort().join(' and ')}. ` +
          'A frame has one; find the node that publishes the other.',
      );
    }
    way.push(edge);
  }
  return way;
}
