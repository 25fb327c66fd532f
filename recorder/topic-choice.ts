/** Topics that are wanted, those that nobody has offered yet included. */
export type TopicSet = Pick<ReadonlySet<string>, 'has'>;

export interface TopicChoice {
  /** Always wanted, as the contract's are. @default none */
  readonly named?: ReadonlySet<string>;
  /** Every topic. @default false */
  readonly all?: boolean;
  /** Topics in whose name this is found. @default none */
  readonly pattern?: RegExp | undefined;
  /** Never topics in whose name this is found, unless they are named. @default none */
  readonly exclude?: RegExp | undefined;
}

/** The topics that a person chose by name and by pattern. */
export function chooseTopics({ named, all = false, pattern, exclude }: TopicChoice): TopicSet {
  const matches = (topic: string) => all || pattern?.test(topic) === true;
  return {
    has: (topic) =>
      named?.has(topic) === true || (matches(topic) && !isHidden(topic) && exclude?.test(topic) !== true),
  };
}

/** A part of the name that begins with "_" hides a topic; rosbag2 leaves such topics out as well. */
export function isHidden(topic: string): boolean {
  return topic.includes('/_');
}
