/** How a node resolves the name of a topic; rcl's own rules. */
export interface NameResolver {
  /** @param onlyExpand without remapping: `joints` becomes `/cell/joints`. */
  resolveTopicName(name: string, onlyExpand?: boolean): string;
}

/**
 * The names of the graph in the words of a node that was started with `-r /joints:=/left/joints`: to that
 * node `/left/joints` is `/joints`, and the graph's own `/joints` is out of its reach.
 */
export class RosNames {
  readonly #node: NameResolver;
  /** Our names by those of the graph. */
  readonly #own: ReadonlyMap<string, string>;

  /** @param args what follows `--ros-args`. */
  constructor(node: NameResolver, args: readonly string[]) {
    this.#node = node;
    const sources = remappedNames(args).map((name) => node.resolveTopicName(name, true));
    this.#own = new Map(sources.map((name) => [node.resolveTopicName(name), name]));
  }

  /** Our name for a topic of the graph; undefined where another topic has that name here. */
  own(graphName: string): string | undefined {
    const renamed = this.#own.get(graphName);
    if (renamed !== undefined) return renamed;
    return this.graph(graphName) === graphName ? graphName : undefined;
  }

  /** The graph's name for one of ours. */
  graph(ownName: string): string {
    return this.#own.size === 0 ? ownName : this.#node.resolveTopicName(ownName);
  }
}

/** Left sides of the rules for topics: `-r from:=to`, `--remap node:from:=to`; not `__node` and `__ns`. */
function remappedNames(args: readonly string[]): readonly string[] {
  return args.flatMap((arg, at) => {
    const isRule = args[at - 1] === '-r' || args[at - 1] === '--remap';
    const from = isRule ? /^(?:\w+:)?([\w/~{}]+):=/.exec(arg)?.[1] : undefined;
    return from === undefined || from.startsWith('__') ? [] : [from];
  });
}
