import type Binding from 'rclnodejs';
import type {
  Context,
  EndpointInfo,
  Node,
  Parameter,
  Duration as RosDuration,
  Subscription,
  TypeClass,
} from 'rclnodejs';
import { SourceError } from '../schemas/errors.ts';
import type { MessageValue } from '../schemas/message.ts';
import {
  DURABILITY,
  HISTORY,
  LIVELINESS,
  type OfferedQos,
  type QosDuration,
  RELIABILITY,
  type RequestedQos,
  type TypeHash,
} from './qos.ts';
import { assertBindingLoads, readRosEnvironment } from './ros-environment.ts';
import { RosNames } from './ros-names.ts';

/** One publisher of a topic, as the graph tells it. */
export interface RosPublisher {
  /** Full name, `/arm/driver`; undefined while the graph does not tell, and for good outside ROS 2. */
  readonly node: string | undefined;
  /** `sensor_msgs/msg/JointState`. */
  readonly type: string;
  /** Absent before ROS 2 Iron. */
  readonly typeHash: TypeHash | undefined;
  readonly qos: OfferedQos;
}

export interface RosTopic {
  readonly name: string;
  /** More than one where two nodes disagree. */
  readonly types: readonly string[];
}

export interface RosNodeOptions {
  /** Name in the graph, unless the arguments rename it. */
  readonly name: string;
  /** What follows `--ros-args` on a command line: parameters, remappings, `__node`, `__ns`. @default none */
  readonly args?: readonly string[] | undefined;
  /** Called on a turn of its own with what a message callback or a service's handler threw. */
  onFault(error: unknown): void;
}

/** A subscription to the serialized messages of one type on one topic. */
export interface RosSubscription {
  /** Never call it from a message callback: the middleware still uses the subscription then. */
  close(): void;
}

/** A publisher of serialized messages. */
export interface RosAdvertisement {
  /**
   * @param serialized a whole message with its 4 bytes of encapsulation, as `createEncoder` of
   * `schemas/message-codec.ts` makes it; the bytes are copied.
   */
  publish(serialized: Uint8Array): void;
  /** Whether every reliable subscriber has confirmed what was published. */
  isConfirmed(): boolean;
  close(): void;
}

/** Answers a request of a service with the fields of its response; those left out are zero. */
export type RosHandler = (request: MessageValue) => MessageValue | Promise<MessageValue>;

/** A service that others call. */
export interface RosService {
  close(): void;
}

/** A text parameter as its owner sees it. */
export interface RosTextParameter {
  readonly name: string;
  readonly value: string;
  /** @returns why a value is refused; undefined where it is not. */
  check(value: string): string | undefined;
  /** Another node has set a value that was not refused, or a launch file one that nobody checked. */
  changed(value: string): void;
}

/** Our one node in the ROS 2 graph. */
export interface RosNode {
  /** Whether the parameter `use_sim_time` is set: the time is that of `/clock`. */
  readonly usesSimTime: boolean;
  /** Topics that anyone publishes or subscribes to, by the names that they have for this node. */
  topics(): readonly RosTopic[];
  /** Publishers of a topic, those of this node left out. */
  publishers(topic: string): readonly RosPublisher[];
  /**
   * @param onMessage gets each serialized message; the buffer is the callee's to keep or transfer. What
   * it throws goes to onFault: an exception must not reach the binding, which would abort the process.
   * @throws {Error} the binding's own, when the type's package is not installed.
   */
  subscribe(
    topic: string,
    type: string,
    qos: RequestedQos,
    onMessage: (serialized: Uint8Array<ArrayBuffer>) => void,
  ): RosSubscription;
  /** @throws {Error} the binding's own, when the type's package is not installed. */
  advertise(topic: string, type: string, qos: RequestedQos): RosAdvertisement;
  /**
   * Offers a service.
   *
   * @param name a leading `~/` puts it below the node's own name.
   * @param type such as `std_srvs/srv/Trigger`.
   * @param handler What it throws goes to onFault, and the caller gets no answer.
   * @throws {Error} the binding's own, when the type's package is not installed.
   */
  serve(name: string, type: string, handler: RosHandler): RosService;
  /**
   * Declares a parameter, for `ros2 param get` and `ros2 param set`.
   *
   * @returns sets its value from this side; nothing is asked or told then.
   */
  declareText(parameter: RosTextParameter): (value: string) => void;
  /**
   * Calls a service of another node. Over Fast DDS rclnodejs 2.2 fails with requests that hold strings.
   *
   * @throws {Error} the binding's own, when nobody answers in time or the type's package is not installed.
   */
  call(name: string, type: string, request: MessageValue, timeoutMillis: number): Promise<MessageValue>;
  /** Leaves the graph; ends all subscriptions, services and parameters. What is still called of them does nothing. */
  close(): void;
}

/**
 * Further messages taken in one callback: the binding wakes the thread once per message and topic, which
 * bounds a topic to about 15,000 messages per second; the limit keeps the other topics served.
 */
const MAX_DRAINED = 64;
/** Longest wait of the binding's thread; a change of subscriptions waits for its end. */
const SPIN_MILLIS = 10;

/**
 * Enters the ROS 2 graph.
 *
 * @throws {MissingFeatureError} where no ROS 2 is sourced or rclnodejs is not installed.
 * @throws {SourceError} where the middleware refuses.
 */
export async function openRosNode({ name, args = [], onFault }: RosNodeOptions): Promise<RosNode> {
  assertBindingLoads(readRosEnvironment());
  const { default: ros } = await import('rclnodejs');
  const { default: native } = await import('rclnodejs/lib/native_loader.js');
  // Its handler of SIGINT would take the context away under a running take and keep the process alive.
  ros.removeSignalHandlers();

  const { context, node } = await enterGraph(ros, name, args);
  const ownName = node.getFullyQualifiedName();
  const names = new RosNames(node, args);
  let isOpen = true;
  const nativeQos = ({ depth, reliability, durability }: RequestedQos) =>
    new ros.QoS(
      HISTORY.indexOf('keep_last'),
      depth,
      RELIABILITY.indexOf(reliability),
      DURABILITY.indexOf(durability),
    );
  return {
    usesSimTime: node.getParameter('use_sim_time').value === true,
    topics: () =>
      node.getTopicNamesAndTypes().flatMap(({ name: graphName, types }) => {
        const name = names.own(graphName);
        return name === undefined ? [] : [{ name, types }];
      }),
    publishers: (topic) =>
      node
        .getPublishersInfoByTopic(names.graph(topic))
        .map(toPublisher)
        .filter((publisher) => publisher.node !== ownName),
    subscribe(topic, type, qos, onMessage) {
      const subscription: Subscription = node.createSubscription(
        typeClass(type),
        topic,
        { isRaw: true, qos: nativeQos(qos) },
        (first) => {
          try {
            onMessage(ownBytes(first));
            for (let taken = 0; taken < MAX_DRAINED; taken++) {
              const next = native.rclTakeRaw(subscription.handle);
              if (!next) break;
              onMessage(ownBytes(next));
            }
          } catch (error) {
            setImmediate(onFault, error);
          }
        },
      );
      return { close: () => node.destroySubscription(subscription) };
    },
    advertise(topic, type, qos) {
      const publisher = node.createPublisher(typeClass(type), topic, { qos: nativeQos(qos) });
      return {
        publish(serialized) {
          if (!isOpen) return; // whoever publishes need not know that the graph is gone
          const { buffer, byteOffset, byteLength } = serialized;
          publisher.publish(Buffer.from(buffer, byteOffset, byteLength));
        },
        isConfirmed: () => publisher.waitForAllAcked(0n),
        close: () => isOpen && node.destroyPublisher(publisher),
      };
    },
    serve(name, type, handler) {
      const service = node.createService(type, name, async (request) => {
        try {
          return await handler(request);
        } catch (error) {
          setImmediate(onFault, error);
          return undefined;
        }
      });
      return { close: () => isOpen && node.destroyService(service) };
    },
    async call(name, type, request, timeoutMillis) {
      const client = node.createClient(type, name);
      try {
        await client.waitForService(timeoutMillis);
        return await client.sendRequestAsync(request, { timeout: timeoutMillis });
      } finally {
        if (isOpen) node.destroyClient(client);
      }
    },
    declareText({ name, value, check, changed }) {
      const holding = (text: string) => new ros.Parameter(name, ros.ParameterType.PARAMETER_STRING, text);
      let isOwn = true;
      const valueIn = (parameters: readonly Parameter[]) =>
        isOwn ? undefined : parameters.find((each) => each.name === name)?.value;
      node.addOnSetParametersCallback((parameters) => {
        const asked = valueIn(parameters);
        const reason = asked === undefined ? undefined : check(String(asked));
        return { successful: reason === undefined, reason: reason ?? '' };
      });
      node.addPostSetParametersCallback((parameters) => {
        const set = valueIn(parameters);
        if (set !== undefined) changed(String(set));
      });
      const { value: held } = node.declareParameter(holding(value)); // a launch file may have given another
      isOwn = false;
      if (held !== value) changed(String(held));
      return (text) => {
        if (!isOpen) return;
        isOwn = true;
        node.setParameter(holding(text));
        isOwn = false;
      };
    },
    close() {
      isOpen = false;
      ros.shutdown(context);
    },
  };
}

async function enterGraph(
  ros: typeof Binding,
  name: string,
  args: readonly string[],
): Promise<{ context: Context; node: Node }> {
  const context = new ros.Context();
  try {
    await ros.init(context, args.length > 0 ? ['--ros-args', ...args] : []);
    // Parameter services, but no type description service and no publisher of /rosout.
    const options = new ros.NodeOptions(true, [], false, false, false);
    const node = new ros.Node(name, '', context, options, [], true);
    node.spin(SPIN_MILLIS);
    return { context, node };
  } catch (cause) {
    ros.shutdown(context);
    throw new SourceError(
      `Cannot enter the ROS 2 graph as node "${name}": ${(cause as Error).message}. Check ` +
        'RMW_IMPLEMENTATION, ROS_DOMAIN_ID, the settings of the middleware and what follows "--ros-args".',
      { cause },
    );
  }
}

/**
 * Names a type for the binding without its generated code, which raw messages do not need. The binding
 * wants a function that has a method `type`.
 */
function typeClass(type: string): TypeClass {
  const [pkgName = '', subFolder = '', interfaceName = ''] = type.split('/');
  return Object.assign(() => {}, { type: () => ({ pkgName, subFolder, interfaceName }) });
}

function ownBytes(buffer: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer: memory, byteOffset, byteLength } = buffer;
  const alone = memory instanceof ArrayBuffer && byteOffset === 0 && byteLength === memory.byteLength;
  return alone ? new Uint8Array(memory) : Uint8Array.from(buffer);
}

/** What rmw calls a node of which only an endpoint is known so far. */
const UNKNOWN_NODE = '_NODE_NAME_UNKNOWN_';

function toPublisher(info: EndpointInfo): RosPublisher {
  const { qos_profile: qos, node_name: name, node_namespace: namespace } = info;
  return {
    node: name === UNKNOWN_NODE ? undefined : `${namespace === '/' ? '' : namespace}/${name}`,
    type: info.topic_type,
    typeHash: info.topic_type_hash,
    qos: {
      history: HISTORY[qos.history] ?? 'unknown',
      depth: qos.depth,
      reliability: RELIABILITY[qos.reliability] ?? 'unknown',
      durability: DURABILITY[qos.durability] ?? 'unknown',
      deadline: toDuration(qos.deadline),
      lifespan: toDuration(qos.lifespan),
      liveliness: LIVELINESS[qos.liveliness] ?? 'unknown',
      livelinessLeaseDuration: toDuration(qos.liveliness_lease_duration),
      avoidRosNamespaceConventions: qos.avoid_ros_namespace_conventions,
    },
  };
}

function toDuration({ seconds, nanoseconds }: RosDuration): QosDuration {
  return { sec: BigInt(seconds), nsec: BigInt(nanoseconds) };
}
