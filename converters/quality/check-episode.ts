import { basename } from 'node:path';
import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import { EPISODE_SUFFIX, type EpisodeInfo } from '../../schemas/episode.ts';
import { decodeEvent, EVENTS_TOPIC } from '../../schemas/episode-events.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { KinescribeError } from '../../schemas/errors.ts';
import type { Finding, Verdict } from '../../schemas/finding.ts';
import { currentLabels, readLabels } from '../../schemas/labels.ts';
import type { TimedEvent } from '../../schemas/pause-spans.ts';
import { examineEpisode } from '../../schemas/recovery.ts';
import { storedContract } from '../../schemas/stored-contract.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import type { Check } from './check.ts';
import { MotionFinder, surveyContent } from './content-survey.ts';
import type { EpisodeFacts, Peer } from './episode-facts.ts';
import { Examination } from './examination.ts';
import { type Examiner, Feed } from './feed.ts';
import { surveyFrames } from './frame-survey.ts';
import { Sampler } from './sampler.ts';
import type { CheckedStream, Subject } from './subject.ts';
import { CONTENT_CHECK } from './time/content-check.ts';
import { reasonsOf, reasonTexts, verdictOf } from './verdict.ts';

export interface CheckOptions {
  readonly checks: readonly Check[];
  /** @default the one that the recording carries */
  readonly contract?: Contract | undefined;
  /** What is known of a robot's rig. @default nothing */
  readonly calibrationOf?: ((robot: string | undefined) => Calibration | undefined) | undefined;
  /** Other episodes of the library. @default none */
  readonly peers?: readonly Peer[];
  /** Sees what the checks see; made when the first message's time is known. */
  readonly alongside?: (startTime: bigint) => Pick<Examiner, 'observe'>;
}

/** All that the checks say of one episode. */
export interface CheckedEpisode {
  readonly file: string;
  readonly id: string;
  readonly info: EpisodeInfo | undefined;
  /** What it was checked against. */
  readonly contract: Contract | undefined;
  readonly calibration: Calibration | undefined;
  readonly startTime: bigint;
  readonly durationSecs: number;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly findings: readonly Finding[];
  /** Ids of findings that a person has answered for. */
  readonly waived: ReadonlySet<string>;
}

/**
 * Checks one episode in one pass over its messages.
 *
 * @throws {UsageError | EpisodeError} when the file is no readable episode.
 */
export async function checkEpisode(file: string, options: CheckOptions): Promise<CheckedEpisode> {
  await using reader = await EpisodeReader.open(file);
  const contract = options.contract ?? (await storedContract(reader))?.contract;
  const info = await reader.info();
  const streams: CheckedStream[] = [];
  const { startTime, endTime } = reader;
  const calibration = options.calibrationOf?.(info?.robot ?? contract?.robot.model);
  const events: TimedEvent[] = [];
  const subject: Subject = { contract, calibration, startTime, streams, events, task: info?.task };
  const examination = new Examination(options.checks, subject);
  const alongside = options.alongside?.(startTime);
  const motion = new MotionFinder(startTime);
  const examiner: Examiner = {
    observe(observation) {
      examination.observe(observation);
      motion.observe(observation);
      alongside?.observe(observation);
    },
    refused() {}, // a file does not hold what was refused
  };
  events.push(...(await observeAll(reader, new Feed(examiner, { streams, contract }))));
  const isLookedInto = options.checks.includes(CONTENT_CHECK);
  const content = isLookedInto ? await surveyContent(reader, contract, motion) : undefined;
  const facts = { ...(await factsOf(reader, contract)), info, content, peers: options.peers ?? [] };
  const findings = examination.findings(endTime, facts);
  const waived = new Set(facts.labels.waivers.map(({ label }) => label.finding));
  return {
    file,
    id: info?.id ?? basename(file, EPISODE_SUFFIX),
    info,
    contract,
    calibration,
    startTime,
    durationSecs: nanosToSecs(endTime - startTime),
    verdict: verdictOf(findings, waived),
    reasons: reasonTexts(reasonsOf(findings, waived), startTime),
    findings,
    waived,
  };
}

/** Leads all messages of a file into a feed. @returns what the operator said, which is no stream of the robot. */
export async function observeAll(reader: EpisodeReader, feed: Feed): Promise<readonly TimedEvent[]> {
  const samplers = new Map<number, Sampler>();
  for (const [id, channel] of reader.channels) {
    if (channel.topic === EVENTS_TOPIC) continue;
    feed.channel(id, channel);
    samplers.set(id, new Sampler(channel));
  }
  const events: TimedEvent[] = [];
  for await (const { channel, data, logTime, publishTime, sequence } of reader.messages()) {
    const sampler = samplers.get(channel.id);
    if (!sampler) {
      events.push({ ...decodeEvent(data), logTime });
      continue;
    }
    // Chunks of a reader are never used again, so that payloads stay as they are.
    const { bytes, fingerprint, data: shown, isWhole } = sampler.sample(data, logTime);
    const message = { logTime, publishTime, sequence, bytes, fingerprint, data: shown, isWhole };
    const wait = feed.message(channel.id, message);
    if (wait) await wait;
  }
  await feed.flush();
  return events;
}

type FileFacts = Omit<EpisodeFacts, 'info' | 'content' | 'peers'>;

/** What only the finished file can tell. */
export async function factsOf(reader: EpisodeReader, contract: Contract | undefined): Promise<FileFacts> {
  const [{ damages }, { frames, noFrames }, ledger, labels] = await Promise.all([
    examineEpisode(reader.file),
    framesOf(reader, contract),
    reader.ledger(),
    readLabels(reader.file),
  ]);
  return {
    file: reader.file,
    ledger,
    labels: currentLabels(labels),
    damages: damages.map(({ reason, startOffset }) => `${reason} at byte ${startOffset}`),
    frames,
    noFrames,
  };
}

/** An episode that gives no frames can be checked all the same. */
async function framesOf(
  reader: EpisodeReader,
  contract: Contract | undefined,
): Promise<Pick<EpisodeFacts, 'frames' | 'noFrames'>> {
  if (!contract) return { frames: undefined, noFrames: undefined };
  try {
    return { frames: await surveyFrames(reader, contract), noFrames: undefined };
  } catch (error) {
    if (!(error instanceof KinescribeError)) throw error;
    return { frames: undefined, noFrames: error.message };
  }
}
