import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseContract } from '../../schemas/contract-file.ts';
import { EPISODE_SUFFIX } from '../../schemas/episode.ts';
import { SourceError, UsageError } from '../../schemas/errors.ts';
import type { CommandOptions } from '../command.ts';
import { draftContract } from '../contract-draft/contract-draft.ts';
import { contractText } from '../contract-draft/contract-text.ts';
import { type Observation, observeRecording, observeSource } from '../contract-draft/observation.ts';
import { openSource } from '../sources.ts';

/** A slow stream shows its rhythm in this, and a latched one comes at once. */
const LIVE_SECS = 8;
/** Two minutes show what a robot does; more of a long recording would only take longer. */
const RECORDING_SECS = 120;

/** `kinescribe contract init`: drafts a contract from a recording, or from what a robot sends now. */
export async function contractInit(files: readonly string[], options: CommandOptions): Promise<number> {
  const output = options.output === undefined ? undefined : String(options.output);
  const observation = await observe(files[0], options);
  const name = options.name === undefined ? nameFor(files[0]) : String(options.name);
  const draft = draftContract(observation, name);
  const text = contractText(draft);
  parseContract(text, output ?? 'the draft');
  if (output === undefined) {
    process.stdout.write(text);
    return 0;
  }
  await writeFile(output, text, { flag: 'wx' }).catch((cause: Error) => {
    throw new UsageError(`Cannot write contract "${output}": ${cause.message}. Give another --output.`, {
      cause,
    });
  });
  console.log(
    `${output}: ${draft.streams.size} streams, ${draft.features.size} features. Check every comment in it.`,
  );
  return 0;
}

async function observe(file: string | undefined, options: CommandOptions): Promise<Observation> {
  const secs = options.duration === undefined ? undefined : Number(options.duration);
  if (secs !== undefined && !(secs > 0)) throw new UsageError(`--duration must be positive, found ${secs}.`);
  if (file !== undefined && options.source !== undefined) {
    throw new UsageError('A contract is drafted from a recording or from --source, not from both.');
  }
  if (file !== undefined) return observeRecording(file, secs ?? RECORDING_SECS);
  if (options.source === undefined) {
    throw new UsageError(
      'Give a recording, or "--source ros2", "foxglove" or "demo" with the robot switched on.',
    );
  }
  const observation = await observeSource(await openSource(options), secs ?? LIVE_SECS);
  if (observation.topics.length > 0) return observation;
  throw new SourceError(
    `Cannot draft a contract: source "${options.source}" offered no topic in ${observation.secs.toFixed(1)} s. ` +
      'Start the robot\'s drivers, or look for longer with "--duration".',
  );
}

/** Of a file's name what a contract's name may hold. */
function nameFor(file: string | undefined): string {
  const words = file === undefined ? '' : basename(file, EPISODE_SUFFIX).replace(/[^\w-]+/g, '-');
  const name = words.replace(/^[^A-Za-z]+|[^A-Za-z0-9]+$/g, '');
  return name === '' ? 'my-robot' : name;
}
