import { createRequire } from 'node:module';

/** The part of the binding that plays another node in tests. */
interface Binding {
  readonly Context: new () => object;
  readonly Node: new (name: string, namespace: string, context: object) => CallingNode;
  readonly QoS: new (history: number, depth: number, reliability: number, durability: number) => object;
  init(context: object, args: readonly string[]): Promise<void>;
  removeSignalHandlers(): void;
  shutdown(context: object): void;
}
interface CallingNode {
  spin(): void;
  createClient(type: string, name: string): Client;
  createSubscription(
    type: string,
    topic: string,
    options: object,
    callback: (message: never) => void,
  ): unknown;
}
interface Client {
  waitForService(millis: number): Promise<boolean>;
  sendRequestAsync(request: object, options: { readonly timeout: number }): Promise<unknown>;
}

export interface TriggerResponse {
  readonly success: boolean;
  readonly message: string;
}

/** Another node of the graph that calls services, sets parameters and listens, by generated types. */
export class RosCaller implements AsyncDisposable {
  readonly #ros: Binding;
  readonly #context: object;
  readonly #node: CallingNode;
  readonly #clients = new Map<string, Client>();

  static async open(): Promise<RosCaller> {
    const ros: Binding = createRequire(import.meta.url)('rclnodejs');
    const context = new ros.Context();
    ros.removeSignalHandlers();
    await ros.init(context, []);
    return new RosCaller(ros, context);
  }

  private constructor(ros: Binding, context: object) {
    this.#ros = ros;
    this.#context = context;
    this.#node = new ros.Node('caller', '', context);
    this.#node.spin();
  }

  async trigger(service: string): Promise<TriggerResponse> {
    return (await this.#call('std_srvs/srv/Trigger', service, {})) as TriggerResponse;
  }

  /** @returns why the node refused it; empty where it did not. */
  async setParameter(node: string, name: string, value: string): Promise<string> {
    const parameter = { name, value: { type: 4, string_value: value } }; // rcl_interfaces/msg/ParameterType
    const response = await this.#call('rcl_interfaces/srv/SetParameters', `${node}/set_parameters`, {
      parameters: [parameter],
    });
    const [result] = (response as { results: { successful: boolean; reason: string }[] }).results;
    return result!.successful ? '' : result!.reason;
  }

  async getParameter(node: string, name: string): Promise<string> {
    const response = await this.#call('rcl_interfaces/srv/GetParameters', `${node}/get_parameters`, {
      names: [name],
    });
    return (response as { values: { string_value: string }[] }).values[0]!.string_value;
  }

  /** @param isLatched also gets the last message of before. */
  listen<T>(type: string, topic: string, { isLatched = false } = {}): T[] {
    const heard: T[] = [];
    const qos = new this.#ros.QoS(1, 10, 1, isLatched ? 1 : 2); // keep last, reliable
    this.#node.createSubscription(type, topic, { qos }, (message: never) => heard.push(message));
    return heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ros.shutdown(this.#context);
  }

  async #call(type: string, name: string, request: object): Promise<unknown> {
    let client = this.#clients.get(name);
    if (!client) {
      client = this.#node.createClient(type, name);
      this.#clients.set(name, client);
    }
    if (!(await client.waitForService(10_000))) throw new TypeError(`No service ${name} in the graph.`);
    return client.sendRequestAsync(request, { timeout: 10_000 });
  }
}
