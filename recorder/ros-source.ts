import { type Clock, MonotonicClock } from '../schemas/time.ts';
import { RosCapture } from './ros-capture.ts';
import { openRosClock } from './ros-clock.ts';
import { assertBindingLoads, type RosEnvironment, readRosEnvironment } from './ros-environment.ts';
import { openRosNode, type RosNode } from './ros-node.ts';
import type { Source, SourceOptions, SourceSink } from './source.ts';
import { chooseTopics } from './topic-choice.ts';

const EVERY_TOPIC = chooseTopics({ all: true });
/** A launch file starts the simulator and the recorder together. */
const SIMULATION_SECS = 30;

export interface RosSourceOptions {
  /** Name of our node in the graph. @default kinescribe */
  readonly nodeName?: string;
  /** What follows `--ros-args` on the command line. @default none */
  readonly args?: readonly string[];
}

/**
 * Enters the ROS 2 graph of the sourced installation. Messages are subscribed to in their serialized form
 * and never decoded; the queue of each subscription is deep enough for a stall of two seconds.
 *
 * With the parameter `use_sim_time` log times are those of `/clock`, as rosbag2 has it.
 *
 * @throws {MissingFeatureError} where no ROS 2 is sourced or rclnodejs is not installed.
 * @throws {SourceError} where the middleware refuses, or a simulation that was promised does not run.
 */
export async function openRosSource({
  nodeName = 'kinescribe',
  args,
}: RosSourceOptions = {}): Promise<Source> {
  const environment = readRosEnvironment();
  assertBindingLoads(environment);
  let source: RosSource | undefined;
  const node = await openRosNode({ name: nodeName, args, onFault: (error) => source?.breakOff(error) });
  try {
    const clock = node.usesSimTime ? await openRosClock(node, SIMULATION_SECS) : new MonotonicClock();
    source = new RosSource(node, { environment, clock });
    return source;
  } catch (error) {
    node.close();
    throw error;
  }
}

/**
 * The node of a ROS 2 source until its stop(), for what else it shall offer to the graph; it belongs to the
 * source, which closes it. Undefined for any other source.
 */
export function rosNodeOf(source: Source): RosNode | undefined {
  return source instanceof RosSource ? source.node : undefined;
}

class RosSource implements Source {
  readonly name = 'ros2';
  readonly node: RosNode;
  readonly clock: Clock;
  readonly #environment: RosEnvironment;
  #capture: RosCapture | undefined;

  constructor(
    node: RosNode,
    { environment, clock }: { readonly environment: RosEnvironment; readonly clock: Clock },
  ) {
    this.node = node;
    this.clock = clock;
    this.#environment = environment;
  }

  async start(sink: SourceSink, { topics = EVERY_TOPIC, qos }: SourceOptions = {}): Promise<void> {
    if (this.#capture) throw new TypeError('A ROS 2 source starts once; open another one.');
    const { clock } = this;
    this.#capture = new RosCapture(this.node, { environment: this.#environment, clock, topics, qos, sink });
    try {
      await this.#capture.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** A fault of a callback: delivery ends for good. */
  breakOff(error: unknown): void {
    this.#capture?.breakOff(error);
  }

  async stop(): Promise<void> {
    if (this.#capture) await this.#capture.stop();
    else this.node.close();
  }
}
