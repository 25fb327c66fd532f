import type { Comments, ContractDraft, Draft } from './contract-draft.ts';

/** Writes a draft as YAML with a comment on every guess. */
export function contractText(draft: ContractDraft): string {
  const { origin, secs, name, robot, streams, features, samples, task, leftOut } = draft;
  return [
    `# Drafted by "kinescribe contract init" from ${oneLine(origin)}, of which ${secs.toFixed(1)} s were looked at.`,
    '# Every comment is a guess to be checked: roles, units, which joints, what the action is. Then run',
    '# "kinescribe contract check". launch/contracts/demo-arm.yaml explains every key.',
    'kinescribe: 1',
    `name: ${scalar(name)}`,
    'robot:',
    line('model', robot.value, robot.comments[''], 1),
    '',
    streams.size > 0 ? 'streams:' : 'streams: {} # nothing that was seen can be named in a contract',
    ...blocks(streams),
    ...[...leftOut].map(([topic, reason]) => `  # left out: ${oneLine(topic)} (${oneLine(reason)})`),
    '',
    features.size > 0 ? 'features:' : 'features: {} # nothing that was seen becomes numbers or a picture',
    ...blocks(features),
    '',
    'samples:',
    ...entries(samples, 1),
    '',
    'episode:',
    '  tasks:',
    `    - ${scalar(task.value)} # ${task.comments['']}`,
    '',
  ].join('\n');
}

function blocks(drafts: ReadonlyMap<string, Draft<object>>): string[] {
  return [...drafts].flatMap(([name, draft]) => [
    `  ${name}:${comment(draft.comments[''])}`,
    ...entries(draft, 2),
  ]);
}

function entries({ value, comments }: Draft<object>, depth: number): string[] {
  return Object.entries(value).map(([key, each]) => line(key, each, (comments as Comments)[key], depth));
}

function line(key: string, value: unknown, text: string | undefined, depth: number): string {
  return `${'  '.repeat(depth)}${key}: ${scalar(value)}${comment(text)}`;
}

function comment(text: string | undefined): string {
  return text ? ` # ${oneLine(text)}` : '';
}

/** Plain where YAML cannot mistake it for anything but the text; JSON, which is YAML, elsewhere. */
function scalar(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(scalar).join(', ')}]`;
  if (
    typeof value === 'string' &&
    /^(?!(true|false|null|yes|no|on|off|y|n)$)[A-Za-z/_][\w/.-]*$/i.test(value)
  )
    return value;
  return JSON.stringify(value);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
