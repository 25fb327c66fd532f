import { type ContractFile, parseContract } from '../../schemas/contract-file.ts';
import type { FeatureTopic } from './feature-topics.ts';
import type { LerobotDataset } from './lerobot-dataset.ts';
import { TOPIC_SCHEMAS } from './row-messages.ts';

export interface ImportContractOptions {
  readonly name: string;
  readonly topics: readonly FeatureTopic[];
  /** SI unit of the joints of a feature, where they have one in common. */
  readonly units: ReadonlyMap<string, string | undefined>;
  readonly actionSpace: string | undefined;
}

/** The shortest instruction that a contract may list. */
const LEAST_TASK_LETTERS = 3;

/** The contract under which a dataset's episodes are checked, shown, and converted back to what it holds. */
export function importContract(dataset: LerobotDataset, options: ImportContractOptions): ContractFile {
  const { fps, tasks, robot } = dataset;
  const streams = options.topics.map(({ key, topic, role, kind }) => [
    streamName(key),
    { topic, role, type: TOPIC_SCHEMAS[kind].name, rateHz: fps, required: role !== 'context' },
  ]);
  const features = options.topics.map((topic) => [
    topic.key.replace(/[^\w.]/g, '_'),
    featureOf(topic, fps, options),
  ]);
  const named = [...new Set(tasks.values())].filter(({ length }) => length >= LEAST_TASK_LETTERS);
  const text = [
    `# Made by "kinescribe import" from the LeRobot ${dataset.version} dataset "${dataset.name.replace(/\s+/g, ' ')}".`,
    '# Times are those of the dataset, so values lie on its ticks.',
    'kinescribe: 1',
    `name: ${options.name}`,
    `robot: ${JSON.stringify({ model: robot })}`,
    'streams:',
    ...block(streams),
    'features:',
    ...block(features),
    `samples: ${JSON.stringify({ tickRateHz: fps, clock: 'log' })}`,
    'episode:',
    `  tasks: ${JSON.stringify(named.length > 0 ? named : ['task not named'])}`,
    '',
  ].join('\n');
  return parseContract(text, `${options.name}.yaml`);
}

function streamName(key: string): string {
  return key.replace(/\W/g, '_');
}

/** JSON on one line is YAML too. */
function block(entries: readonly (readonly unknown[])[]): string[] {
  return entries.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
}

function featureOf(
  { key, kind, dtype, shape, names }: FeatureTopic,
  fps: number,
  { units, actionSpace }: ImportContractOptions,
): object {
  const toleranceSecs = Number((0.5 / fps).toFixed(6));
  const base = { stream: streamName(key), align: 'nearest', toleranceSecs };
  if (kind === 'text') return { kind: 'text', ...base };
  if (kind !== 'joints' && kind !== 'numbers') {
    const { width, height } = pictureSize(shape);
    return { kind: 'image', ...base, width, height };
  }
  const unit = units.get(key);
  return {
    ...{ kind: 'vector', ...base, field: kind === 'joints' ? 'position' : 'data', dtype, shape },
    ...(names && shape.length === 1 && { names }),
    ...(unit !== undefined && { unit }),
    ...(key === 'action' && actionSpace !== undefined && { actionSpace }),
  };
}

/** How many a picture has. */
const CHANNELS: ReadonlySet<number> = new Set([1, 3, 4]);

/** Writers of today put the colours last, older ones first. */
function pictureSize(shape: readonly number[]): { readonly width: number; readonly height: number } {
  const [a = 1, b = 1, c = 1] = shape;
  const isFirst = CHANNELS.has(a) && !CHANNELS.has(c);
  return isFirst ? { width: c, height: b } : { width: b, height: a };
}
