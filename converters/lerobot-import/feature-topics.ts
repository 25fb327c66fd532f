import type { StreamRole } from '../../schemas/contract.ts';
import type { VideoCodec } from '../video-packets.ts';
import type { ForeignFeature } from './lerobot-dataset.ts';

/** What becomes of a feature: joints, other numbers, a text, or pictures: decoded, as they are, or as packets. */
export type TopicKind = 'joints' | 'numbers' | 'text' | 'video' | 'image' | VideoCodec;

/** A feature of a dataset as a topic of episodes. */
export interface FeatureTopic {
  /** Of the dataset: `observation.images.front`. */
  readonly key: string;
  readonly kind: TopicKind;
  readonly role: StreamRole;
  /** `/observation/images/front`. */
  readonly topic: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** One per number, of joints always; undefined where the dataset names none. */
  readonly names: readonly string[] | undefined;
}

/** What LeRobot itself counts and times rows by, which an episode has as its own times. */
const INDEX_COLUMNS = new Set(['timestamp', 'frame_index', 'episode_index', 'index', 'task_index']);
/** Columns of a dataset that Kinescribe made: the real time of a frame, masks and ages, which are made anew. */
export const TICK_TIME_COLUMN = 'tick_time';
const MADE_COLUMN = /^(age|valid)\./;
export const validColumn = (key: string) => `valid.${key}`;

const NUMBERS = new Set(['float32', 'float64', 'int64', 'int16', 'uint16', 'uint8', 'bool']);
const JOINT_VECTORS: Readonly<Record<string, StreamRole>> = {
  'observation.state': 'motion',
  action: 'command',
};
const OTHER_KINDS: Readonly<Record<string, TopicKind>> = { video: 'video', image: 'image', string: 'text' };

/** The topics that features become, and features that no topic holds, each with the reason. */
export function featureTopics(features: ReadonlyMap<string, ForeignFeature>): {
  readonly topics: readonly FeatureTopic[];
  readonly notHeld: ReadonlyMap<string, string>;
} {
  const topics: FeatureTopic[] = [];
  const notHeld = new Map<string, string>();
  const isOwn = features.has(TICK_TIME_COLUMN);
  for (const [key, feature] of features) {
    if (INDEX_COLUMNS.has(key) || (isOwn && (key === TICK_TIME_COLUMN || MADE_COLUMN.test(key)))) continue;
    const reason = whyNotHeld(feature);
    if (reason) notHeld.set(key, reason);
    else topics.push(featureTopic(key, feature));
  }
  return { topics, notHeld };
}

function whyNotHeld({ dtype, shape, info }: ForeignFeature): string | undefined {
  if (dtype === 'video' || dtype === 'image') {
    const isDepth = info?.is_depth_map === true || info?.['video.is_depth_map'] === true;
    if (isDepth) return 'depth as video';
    return shape.length === 3 ? undefined : `a picture of ${shape.length} dimensions`;
  }
  if (dtype !== 'string' && !NUMBERS.has(dtype)) return `dtype "${dtype}"`;
  return shape.includes(0) || shape.length === 0 ? 'no numbers in it' : undefined;
}

function featureTopic(key: string, { dtype, shape, names }: ForeignFeature): FeatureTopic {
  const role = JOINT_VECTORS[key];
  const isJoints = role !== undefined && shape.length === 1 && dtype.startsWith('float');
  const kind = isJoints ? 'joints' : (OTHER_KINDS[dtype] ?? 'numbers');
  const count = shape.reduce((product, length) => product * length, 1);
  const named = kind === 'joints' || kind === 'numbers' ? namesOf(names, count) : undefined;
  return {
    ...{ key, kind, dtype, shape },
    role: role ?? (kind === 'video' || kind === 'image' ? 'perception' : 'context'),
    topic: `/${key.replace(/[^\w.]/g, '_').replaceAll('.', '/')}`,
    names: isJoints ? (named ?? Array.from({ length: count }, (_, i) => `joint${i + 1}`)) : named,
  };
}

/** LeRobot has had lists, lists in a list, and lists by kind of motor. */
function namesOf(names: unknown, count: number): readonly string[] | undefined {
  const isMap = typeof names === 'object' && names !== null && !Array.isArray(names);
  const values = isMap ? Object.values(names) : names;
  // Where a name has its place: { "joint1": 0, "joint2": 1 }.
  const isPlaced = isMap && Object.values(names).every((place) => typeof place === 'number');
  const list = isPlaced ? Object.keys(names) : Array.isArray(values) ? values.flat() : [];
  const isWhole = list.length === count && list.every((name) => typeof name === 'string');
  return isWhole && new Set(list).size === count ? list : undefined;
}
