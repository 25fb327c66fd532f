import type { Source } from '../../recorder/source.ts';
import type { Contract, Stream } from '../../schemas/contract.ts';
import { KinescribeError } from '../../schemas/errors.ts';
import { observeSource } from '../contract-draft/observation.ts';
import type { ObservedTopic } from '../contract-draft/observed-topic.ts';
import type { StartCheck } from './start-check.ts';

/** Enough for a stream of 1 Hz. */
const OBSERVED_SECS = 3;
/** A stream slower than this share of its rate is not what the contract says. */
const RATE_SHARE = 0.9;

/** Looks at the robot for some seconds: topics that are silent, too slow, or of another type. */
export async function checkStreams(
  { streams }: Contract,
  openSource: () => Promise<Source>,
): Promise<readonly StartCheck[]> {
  const named = Object.entries(streams);
  const topics = new Set(named.map(([, { topic }]) => topic));
  try {
    const observation = await observeSource(await openSource(), OBSERVED_SECS, topics);
    const seen = new Map(observation.topics.map((topic) => [topic.topic, topic]));
    return named.map(([name, stream]) => checkStream(name, stream, seen.get(stream.topic), observation.secs));
  } catch (error) {
    if (!(error instanceof KinescribeError)) throw error;
    return [{ name: 'streams', verdict: 'fault', found: error.message }];
  }
}

function checkStream(
  name: string,
  stream: Stream,
  seen: ObservedTopic | undefined,
  secs: number,
): StartCheck {
  const { topic, type, rateHz, required } = stream;
  const verdict = required ? 'fault' : 'note';
  const check = { name: `stream ${name}`, verdict } as const;
  if (!seen)
    return {
      ...check,
      found: `nobody offers "${topic}"`,
      remedy: 'Start its driver, or correct the topic in the contract.',
    };
  if (seen.type.replace('/msg/', '/') !== type.replace('/msg/', '/')) {
    return {
      ...check,
      found: `"${topic}" is a "${seen.type}", the contract says "${type}"`,
      remedy: 'Correct the type in the contract.',
    };
  }
  if (seen.messageCount === 0) {
    return {
      ...check,
      found: `"${topic}" is offered but silent for ${secs.toFixed(1)} s`,
      remedy: 'Look at its driver.',
    };
  }
  if (rateHz === undefined)
    return { ...check, verdict: 'well', found: `"${topic}" ${seen.messageCount} messages` };
  const measuredHz = seen.messageCount / secs;
  const found = `"${topic}" ${measuredHz.toFixed(1)} Hz`;
  if (measuredHz >= RATE_SHARE * rateHz) return { ...check, verdict: 'well', found };
  return {
    ...check,
    found: `${found}, the contract says ${rateHz} Hz`,
    remedy: 'Look at its driver and at the load of both machines, or correct rateHz in the contract.',
  };
}
