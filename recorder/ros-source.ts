import { type Clock, MonotonicClock } from '../schemas/time.ts';
import { RosCapture } from './ros-capture.ts';
import { assertBindingLoads, type RosEnvironment, readRosEnvironment } from './ros-environment.ts';
import { openRosNode, type RosNode } from './ros-node.ts';
import type { Source, SourceOptions, SourceSink } from './source.ts';
import { chooseTopics } from './topic-choice.ts';

const EVERY_TOPIC = chooseTopics({ all: true });

export interface RosSourceOptions {
  /** Name of our node in the graph. @default kinescribe */
  readonly nodeName?: string;
  /** Gives logTime to a message when it arrives. @default a MonotonicClock made at opening */
  readonly clock?: Clock;
}

/**
 * Opens the ROS 2 graph of the sourced installation as a source; start() enters the graph. Messages are
 * subscribed to in their serialized form and never decoded; the queue of each subscription is deep enough
 * for a stall of two seconds.
 *
 * @throws {MissingFeatureError} where no ROS 2 is sourced or rclnodejs is not installed.
 */
export async function openRosSource(options: RosSourceOptions = {}): Promise<Source> {
  const environment = readRosEnvironment();
  assertBindingLoads(environment);
  return new RosSource(environment, options);
}

/**
 * The node of a ROS 2 source between start() and stop(), for what else it shall offer to the graph; it
 * belongs to the source, which closes it. Undefined for any other source.
 */
export function rosNodeOf(source: Source): RosNode | undefined {
  return source instanceof RosSource ? source.node : undefined;
}

class RosSource implements Source {
  readonly name = 'ros2';
  readonly clock: Clock;
  readonly #environment: RosEnvironment;
  readonly #nodeName: string;
  #node: RosNode | undefined;
  #capture: RosCapture | undefined;

  constructor(environment: RosEnvironment, options: RosSourceOptions) {
    const { nodeName = 'kinescribe', clock = new MonotonicClock() } = options;
    this.clock = clock;
    this.#environment = environment;
    this.#nodeName = nodeName;
  }

  get node(): RosNode | undefined {
    return this.#node;
  }

  async start(sink: SourceSink, { topics = EVERY_TOPIC, qos }: SourceOptions = {}): Promise<void> {
    if (this.#capture) throw new TypeError('The source has been started already.');
    const node = await openRosNode({
      name: this.#nodeName,
      onFault: (error) => this.#capture?.breakOff(error),
    });
    const { clock } = this;
    this.#node = node;
    this.#capture = new RosCapture(node, { environment: this.#environment, clock, topics, qos, sink });
    try {
      await this.#capture.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#capture?.stop();
    this.#capture = undefined;
    this.#node = undefined;
  }
}
