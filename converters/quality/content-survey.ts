import type { Contract } from '../../schemas/contract.ts';
import { EVENTS_TOPIC } from '../../schemas/episode-events.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import { secsToNanos } from '../../schemas/time.ts';
import { BIN_SECS, fastest, MotionProfile, movingSpeed } from './episode/motion-profile.ts';
import type { ContentLag } from './episode-facts.ts';
import { Feed } from './feed.ts';
import { isJointType, jointSample } from './joint-sample.ts';
import type { Observation } from './observation.ts';
import { checkedStream, isPictureType } from './stream-role.ts';
import type { CheckedStream } from './subject.ts';
import { ContentSeries, MOST_LAG_SECS } from './time/content-lag.ts';

/** How much of an episode is looked at picture by picture. */
const STRETCH_SECS = 6;
/** Motion shows in small pictures too, which cost little to decode. */
const LOOK_WIDTH = 96;

/** Finds the moment of an episode at which most can be learnt of when its pictures were taken. */
export class MotionFinder {
  readonly #startTime: bigint;
  readonly #profiles = new Map<CheckedStream, MotionProfile>();

  constructor(startTime: bigint) {
    this.#startTime = startTime;
  }

  observe(observation: Observation): void {
    const { stream } = observation;
    if (stream.role !== 'motion' || !isJointType(stream.type)) return;
    const sample = jointSample(observation);
    if (!sample || sample.logTime < this.#startTime) return;
    const profile = this.#profiles.get(stream) ?? new MotionProfile(this.#startTime);
    this.#profiles.set(stream, profile);
    profile.add(sample);
  }

  /** Start of the stretch in which the speed varies most; undefined where nothing moves. */
  stretch(endTime: bigint): { readonly startTime: bigint; readonly endTime: bigint } | undefined {
    const speeds = fastest([...this.#profiles.values()].map((profile) => profile.speeds(endTime)));
    const usual = movingSpeed(speeds, 0.95);
    if (usual === 0) return undefined;
    const capped = speeds.map((speed) => Math.min(speed, usual)); // a jump of an encoder is no motion
    const length = Math.min(capped.length, Math.round(STRETCH_SECS / BIN_SECS));
    let [best, most] = [0, -1];
    for (let from = 0; from + length <= capped.length; from++) {
      const variation = variance(capped.subarray(from, from + length));
      if (variation > most) [best, most] = [from, variation];
    }
    const startTime = this.#startTime + secsToNanos(best * BIN_SECS);
    return { startTime, endTime: startTime + secsToNanos(length * BIN_SECS) };
  }
}

function variance(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/** How the pictures of each camera go with the motion of the joints, where that can be told best. */
export async function surveyContent(
  reader: EpisodeReader,
  contract: Contract | undefined,
  motion: MotionFinder,
): Promise<readonly ContentLag[]> {
  const stretch = motion.stretch(reader.endTime);
  if (!stretch) return [];
  const series = new ContentSeries(contract);
  const feed = new Feed(
    { observe: (each) => series.observe(each), refused() {} },
    { streams: [], contract, lookWidth: LOOK_WIDTH },
  );
  const topics = new Set<string>();
  let hasCamera = false;
  for (const [id, channel] of reader.channels) {
    if (channel.topic === EVENTS_TOPIC) continue;
    const { role, type } = checkedStream(channel.topic, channel.schema?.name ?? '', contract);
    const isCamera = isPictureType(type) && role === 'perception';
    if (!isCamera && !(role === 'motion' && isJointType(type))) continue;
    hasCamera ||= isCamera;
    feed.channel(id, channel);
    topics.add(channel.topic);
  }
  if (!hasCamera) return [];
  // Joints around the stretch too, so that every picture of it has them at every lag.
  const margin = secsToNanos(2 * MOST_LAG_SECS);
  const range = { startTime: stretch.startTime - margin, endTime: stretch.endTime + margin };
  for await (const { channel, data, logTime, publishTime, sequence } of reader.messages({
    ...range,
    topics,
  })) {
    const isOfJoints = !isPictureType(channel.schema?.name ?? '');
    if (!isOfJoints && (logTime < stretch.startTime || logTime >= stretch.endTime)) continue;
    const message = {
      logTime,
      publishTime,
      sequence,
      bytes: data.byteLength,
      fingerprint: 0,
      data,
      isWhole: true,
    };
    const wait = feed.message(channel.id, message);
    if (wait) await wait;
  }
  await feed.flush();
  return series.lags();
}
