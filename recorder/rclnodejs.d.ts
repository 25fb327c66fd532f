/**
 * The part of rclnodejs 2 that the recorder uses. Written by hand because the package is an optional
 * peer: it builds only where ROS 2 is sourced, and this project compiles everywhere.
 */
declare module 'rclnodejs' {
  /** What `Context`, `Node` and `Subscription` hand to native functions. */
  export type Handle = object;

  export class Context {
    constructor(domainId?: bigint);
  }

  export class QoS {
    constructor(history: number, depth: number, reliability: number, durability: number);
  }

  export class NodeOptions {
    constructor(
      startParameterServices: boolean,
      parameterOverrides: readonly unknown[],
      automaticallyDeclareParametersFromOverrides: boolean,
      startTypeDescriptionService: boolean,
      enableRosout: boolean,
    );
  }

  /** A message type without generated code: enough for raw subscriptions and publishers. */
  export interface TypeClass {
    type(): { readonly pkgName: string; readonly subFolder: string; readonly interfaceName: string };
  }

  export interface Subscription {
    readonly handle: Handle;
  }

  export interface Publisher {
    /** Publishes serialized bytes; a Uint8Array that is no Buffer goes out as an empty message. */
    publish(message: Buffer): void;
    /** With 0 it only looks. */
    waitForAllAcked(timeoutNanos: bigint): boolean;
  }

  export interface Client {
    /** False where the service did not appear in time. */
    waitForService(timeoutMillis: number): Promise<boolean>;
    /** Rejects when no answer comes in time. */
    sendRequestAsync(
      request: object,
      options: { readonly timeout: number },
    ): Promise<Readonly<Record<string, unknown>>>;
  }

  export interface Service {
    readonly serviceName: string;
  }

  export interface Duration {
    readonly seconds: bigint | number;
    readonly nanoseconds: bigint | number;
  }

  export interface EndpointInfo {
    readonly node_name: string;
    readonly node_namespace: string;
    readonly topic_type: string;
    /** Absent before ROS 2 Iron. */
    readonly topic_type_hash?: { readonly version: number; readonly value: Uint8Array };
    readonly qos_profile: {
      readonly depth: number;
      readonly history: number;
      readonly reliability: number;
      readonly durability: number;
      readonly lifespan: Duration;
      readonly deadline: Duration;
      readonly liveliness: number;
      readonly liveliness_lease_duration: Duration;
      readonly avoid_ros_namespace_conventions: boolean;
    };
  }

  export class Parameter {
    constructor(name: string, type: number, value: unknown);
    readonly name: string;
    readonly value: unknown;
  }

  /** `rcl_interfaces/msg/SetParametersResult`. */
  export interface SetParametersResult {
    readonly successful: boolean;
    readonly reason: string;
  }

  export class Node {
    constructor(
      name: string,
      namespace: string,
      context: Context,
      options: NodeOptions,
      args: readonly string[],
      useGlobalArguments: boolean,
    );
    /** Waits for work on a thread of its own, at most this many milliseconds at a time. */
    spin(timeoutMillis?: number): void;
    /** @param onlyExpand without remapping. */
    resolveTopicName(name: string, onlyExpand?: boolean): string;
    getParameter(name: string): { readonly value: unknown };
    /** `/arm/kinescribe`, after all renaming. */
    getFullyQualifiedName(): string;
    getTopicNamesAndTypes(): { readonly name: string; readonly types: readonly string[] }[];
    getPublishersInfoByTopic(topic: string): EndpointInfo[];
    createSubscription(
      type: TypeClass,
      topic: string,
      options: { readonly isRaw: true; readonly qos: QoS },
      callback: (serialized: Buffer) => void,
    ): Subscription;
    destroySubscription(subscription: Subscription): void;
    createPublisher(type: TypeClass, topic: string, options: { readonly qos: QoS }): Publisher;
    destroyPublisher(publisher: Publisher): void;
    /** @param type needs its generated code; the installation's packages have it. */
    createService(
      type: string,
      name: string,
      answer: (request: Readonly<Record<string, unknown>>) => Promise<object | undefined>,
    ): Service;
    destroyService(service: Service): void;
    /** @param type needs its generated code. */
    createClient(type: string, name: string): Client;
    destroyClient(client: Client): void;
    declareParameter(parameter: Parameter): Parameter;
    setParameter(parameter: Parameter): SetParametersResult;
    /** Called before values hold; one that is not successful refuses them all. */
    addOnSetParametersCallback(callback: (parameters: readonly Parameter[]) => SetParametersResult): void;
    /** Called when values hold. */
    addPostSetParametersCallback(callback: (parameters: readonly Parameter[]) => void): void;
  }

  const rclnodejs: {
    readonly Context: typeof Context;
    readonly Node: typeof Node;
    readonly NodeOptions: typeof NodeOptions;
    readonly QoS: typeof QoS;
    readonly Parameter: typeof Parameter;
    readonly ParameterType: { readonly PARAMETER_STRING: number };
    init(context: Context, args: readonly string[]): Promise<void>;
    shutdown(context: Context): void;
    removeSignalHandlers(): void;
  };
  // biome-ignore lint/style/noDefaultExport: this is how the package exports itself
  export default rclnodejs;
}

declare module 'rclnodejs/lib/native_loader.js' {
  const native: {
    /** Takes one waiting message of a subscription; undefined where none waits. */
    rclTakeRaw(subscription: object): Buffer | undefined;
  };
  // biome-ignore lint/style/noDefaultExport: this is how the package exports itself
  export default native;
}
