import type { Contract, Stream, StreamFeature, StreamRole } from '../../schemas/contract.ts';
import type { MessageValue } from '../../schemas/message.ts';
import type { Observation } from './observation.ts';
import type { ObservedTopic } from './observed-topic.ts';
import { guessClocks } from './stream-clocks.ts';
import { guessRole, reasonToLeaveOut, streamNames } from './stream-guesses.ts';
import { type Rhythm, rhythmOf, roundUp } from './stream-rhythm.ts';
import { guessVector } from './vector-guess.ts';

/** Comments on the lines of a contract, by key; an empty key is for the whole block. */
export type Comments = Readonly<Record<string, string>>;

export interface Draft<Value> {
  readonly value: Value;
  readonly comments: Comments;
}

type StreamDraft = Pick<Stream, 'topic' | 'role' | 'type'> & Partial<Stream>;
/** As it is written: without what the contract fills in. */
type FeatureDraft = Partial<StreamFeature> & Pick<StreamFeature, 'kind' | 'stream' | 'toleranceSecs'>;

/** A contract that was guessed; every guess bears a comment. */
export interface ContractDraft {
  readonly origin: string;
  readonly secs: number;
  readonly name: string;
  readonly robot: Draft<string>;
  readonly streams: ReadonlyMap<string, Draft<StreamDraft>>;
  readonly features: ReadonlyMap<string, Draft<FeatureDraft>>;
  readonly samples: Draft<Partial<Contract['samples']>>;
  readonly task: Draft<string>;
  /** Topics that are not in the contract, each with the reason. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** What is thought of one topic. */
interface Candidate {
  readonly name: string;
  readonly observed: ObservedTopic;
  readonly role: StreamRole;
  readonly roleComment: string;
  readonly rhythm: Rhythm | undefined;
  readonly feature: Draft<FeatureDraft> | undefined;
  /** Elements of a vector, for choosing among several. */
  readonly elements: number;
  readonly note: string | undefined;
}

const ROLE_ORDER: readonly StreamRole[] = ['perception', 'motion', 'interaction', 'command', 'context'];
/** A stream that was there for less of the time is not demanded of every take. */
const REQUIRED_SHARE = 0.9;
/** Frames per second where no camera sets them. */
const DEFAULT_TICK_HZ = 30;
const MAX_TICK_HZ = 60;
/** Messages that come in bunches have a period of nothing. */
const LEAST_TOLERANCE_SECS = 0.001;
/** Half a second of actions at 30 frames per second. */
const HORIZON = 16;

/** Drafts a contract from what was seen; it passes the contract's own check. */
export function draftContract(observation: Observation, name: string): ContractDraft {
  const { origin, secs, topics, episode } = observation;
  const leftOut = new Map(
    topics.flatMap(({ topic, type }) => {
      const reason = reasonToLeaveOut(topic, type);
      return reason === undefined ? [] : [[topic, reason] as const];
    }),
  );
  const kept = topics.filter(({ topic }) => !leftOut.has(topic));
  const names = streamNames(kept.map(({ topic }) => topic));
  const candidates = kept
    .map((observed) => candidateOf(observed, names.get(observed.topic)!))
    .sort((a, b) => ROLE_ORDER.indexOf(a.role) - ROLE_ORDER.indexOf(b.role));
  const used = candidates.filter(({ feature }) => feature);
  const clocks = guessClocks(used.map(({ observed }) => observed));
  const task = episode?.task;
  return {
    origin,
    secs,
    name,
    robot: robotOf(observation, name),
    streams: new Map(candidates.map((each) => [each.name, streamOf(each, secs, clocks.exceptions)])),
    features: featuresOf(used),
    samples: {
      value: { tickRateHz: tickRateOf(used), clock: clocks.clock, observationSteps: 1, horizon: HORIZON },
      comments: {
        tickRateHz: 'frames per second; guessed from the cameras, else from the streams',
        clock: clocks.because,
        observationSteps: 'frames a policy sees at once',
        horizon: 'action frames a policy predicts',
      },
    },
    task: task
      ? { value: task, comments: { '': 'the task of the recording' } }
      : { value: 'Describe the task in one sentence.', comments: { '': 'to be written by you' } },
    leftOut,
  };
}

function candidateOf(observed: ObservedTopic, name: string): Candidate {
  const { topic, type, messageCount } = observed;
  const guess = guessRole(topic, type);
  const role = guess?.role ?? 'context';
  const rhythm = rhythmOf(observed.sensorTimes ?? observed.logTimes) ?? rhythmOf(observed.logTimes);
  const common = {
    name,
    observed,
    role,
    roleComment: guess ? `by ${guess.by}` : 'nothing says what it is',
    rhythm,
  };
  const none = (note?: string) => ({ ...common, feature: undefined, elements: 0, note });
  if (role === 'context') return none();
  if (messageCount < 2 || !rhythm) return none('no feature: too few messages');
  const feature = isPicture(type)
    ? pictureFeature(observed, name, rhythm)
    : vectorFeature(observed, name, rhythm);
  if (typeof feature === 'string') return none(`no feature: ${feature}`);
  const { value } = feature;
  const elements = value.kind === 'vector' ? (value.shape ?? []).reduce((product, n) => product * n, 1) : 0;
  return { ...common, feature, elements, note: undefined };
}

function isPicture(type: string): boolean {
  return /Image$|Video$|PointCloud2?$|LaserScan$/.test(type);
}

/** What the converters read. */
const PIXELS = new Set(['rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8']);

function pictureFeature(
  { picture, type, fault }: ObservedTopic,
  stream: string,
  rhythm: Rhythm,
): Draft<FeatureDraft> | string {
  if (!picture) return fault ?? `a "${type}" becomes no picture`;
  const { width, height, coding } = picture;
  if (/\/(msg\/)?Image$/.test(type) && !PIXELS.has(coding))
    return `pixel encoding "${coding}" becomes no picture`;
  const even = (side: number) => Math.max(2, side - (side % 2));
  return {
    value: {
      kind: 'image',
      stream,
      toleranceSecs: toleranceOf(rhythm),
      width: even(width),
      height: even(height),
    },
    comments: {
      toleranceSecs: 'two periods',
      width: `the camera's own size, ${width} × ${height} ${coding}; a smaller one makes smaller datasets`,
    },
  };
}

function vectorFeature(
  { type, samples, fault }: ObservedTopic,
  stream: string,
  rhythm: Rhythm,
): Draft<FeatureDraft> | string {
  const guess = guessVector(type, samples);
  if (typeof guess === 'string') return fault ?? guess;
  const { fields, shape, names, unit, dtype, because } = guess;
  const [only, ...more] = fields;
  return {
    value: {
      kind: 'vector',
      stream,
      field: more.length > 0 ? [...fields] : only!,
      toleranceSecs: toleranceOf(rhythm),
      ...(dtype && { dtype }),
      shape: [...shape],
      ...(names && { names: [...names] }),
      ...(unit && { unit }),
    },
    comments: {
      field: because,
      toleranceSecs: 'two periods',
      ...(dtype && { dtype: 'there are whole numbers that float32 would round' }),
      ...(unit && { unit: 'by the type; correct it if your driver differs' }),
    },
  };
}

function toleranceOf({ periodSecs, usualGapSecs }: Rhythm): number {
  return roundUp(Math.max(2 * periodSecs, 1.2 * usualGapSecs, LEAST_TOLERANCE_SECS));
}

function streamOf(
  { observed, role, roleComment, rhythm, feature, note }: Candidate,
  secs: number,
  exceptions: ReturnType<typeof guessClocks>['exceptions'],
): Draft<StreamDraft> {
  const { topic, type, messageCount, otherTypes, offeredQos } = observed;
  const covered = rhythm && secs > 0 ? rhythm.spanSecs / secs : 0;
  const isRequired = feature !== undefined && covered >= REQUIRED_SHARE;
  const rateHz = rhythm?.rateHz;
  const exception = feature && exceptions.get(topic);
  const jumps = rhythm && rateHz !== undefined && rhythm.largestGapSecs > 3 / rateHz;
  return {
    value: {
      topic,
      role,
      type,
      ...(rateHz !== undefined && { rateHz }),
      ...(!isRequired && { required: false }),
      ...(exception && { clock: exception.clock }),
    },
    comments: {
      '': [countText(messageCount, rhythm), offeredQos && `offered ${offeredQos}`, note]
        .filter(Boolean)
        .join('; '),
      role: roleComment,
      ...(otherTypes.length > 0 && { type: `also seen on this topic: ${otherTypes.join(', ')}` }),
      ...(rateHz !== undefined && {
        rateHz: jumps
          ? `measured; the largest gap counts as a loss unless you set maxGapSecs above ${roundUp(rhythm.largestGapSecs)}`
          : 'measured',
      }),
      ...(!isRequired && {
        required: feature
          ? `it was there for ${(100 * covered).toFixed(0)} % of the time only`
          : 'no feature is made of it',
      }),
      ...(exception && { clock: exception.because }),
    },
  };
}

function countText(messageCount: number, rhythm: Rhythm | undefined): string {
  const count = `${messageCount} message${messageCount === 1 ? '' : 's'}`;
  if (!rhythm) return count;
  const { periodSecs, largestGapSecs } = rhythm;
  const doubt =
    rhythm.rateHz === undefined ? ', irregular: losses can be inferred only if you set rateHz' : '';
  return `${count}, median period ${(1000 * periodSecs).toPrecision(3)} ms, largest gap ${largestGapSecs.toPrecision(2)} s${doubt}`;
}

/** Dataset keys: those that training frameworks look for go to the streams with the most numbers. */
function featuresOf(used: readonly Candidate[]): ReadonlyMap<string, Draft<FeatureDraft>> {
  const features = new Map<string, Draft<FeatureDraft>>();
  const add = (key: string, { feature }: Candidate, comment: string) => {
    features.set(key, { value: feature!.value, comments: { '': comment, ...feature!.comments } });
  };
  const largest = (role: StreamRole) =>
    used
      .filter((each) => each.role === role && each.elements > 0)
      .sort((a, b) => b.elements - a.elements || b.observed.messageCount - a.observed.messageCount)[0];
  const [state, action] = [largest('motion'), largest('command')];
  if (state) add('observation.state', state, 'the motion stream with the most numbers');
  for (const each of used) {
    if (each === state || each === action) continue;
    if (each.feature!.value.kind === 'image') add(`observation.images.${each.name}`, each, '');
    else add(`${each.role === 'command' ? 'action' : 'observation'}.${each.name}`, each, '');
  }
  if (action) add('action', action, 'the command stream with the most numbers');
  else if (state)
    add('action', state, 'no stream of commands was found: the state stands for it until you name one');
  return features;
}

function tickRateOf(used: readonly Candidate[]): number {
  const rates = (each: readonly Candidate[]) =>
    each.map(({ rhythm }) => rhythm!.rateHz ?? 1 / rhythm!.periodSecs);
  const cameras = rates(used.filter(({ feature }) => feature!.value.kind === 'image'));
  const fastest = Math.max(0, ...(cameras.length > 0 ? cameras : rates(used)));
  const limit = cameras.length > 0 ? MAX_TICK_HZ : DEFAULT_TICK_HZ;
  return Math.max(1, Math.min(limit, Math.round(fastest)));
}

function robotOf({ episode, topics }: Observation, name: string): Draft<string> {
  if (episode) return { value: episode.robot, comments: { '': 'as the recording says' } };
  const descriptions = topics.filter(({ topic }) => /(^|\/)robot_description$/.test(topic));
  const texts = descriptions.flatMap(({ samples }) => samples.map(({ data }: MessageValue) => String(data)));
  const named = texts.map((text) => /<robot[^>]*\bname="([^"]+)"/.exec(text)?.[1]).find(Boolean);
  if (named) return { value: named, comments: { '': 'by its URDF' } };
  return { value: name, comments: { '': 'to be written by you: make and model' } };
}
