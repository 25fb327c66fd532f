import type { Contract } from '../../schemas/contract.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import { episodeFrames } from '../episode-frames.ts';
import { QuantileSketch } from './quantile-sketch.ts';
import { checkedStream } from './stream-role.ts';
import type { CheckedStream } from './subject.ts';

/** What the frames of an episode would be worth to training, pictures unseen. */
export interface FrameSurvey {
  readonly frames: number;
  readonly features: readonly FeatureAges[];
  /** Windows of the contract, and those with every required feature valid in every frame. */
  readonly windows: number;
  readonly wholeWindows: number;
}

export interface FeatureAges {
  readonly key: string;
  readonly stream: CheckedStream;
  /** Undefined where the feature never has a value. */
  readonly p95AgeSecs: number | undefined;
  /** Of the stream by contract; 0 for a stream without a rate. */
  readonly periodSecs: number;
  /** Share of frames in which it lies within its tolerance. */
  readonly valid: number;
}

/** @throws {ConvertError | MessageError} when the episode gives no frames under this contract. */
export async function surveyFrames(reader: EpisodeReader, contract: Contract): Promise<FrameSurvey> {
  const { observationSteps, horizon, stride } = contract.samples;
  const length = observationSteps + horizon - 1;
  const ages = new Map(
    Object.keys(contract.features).map((key) => [key, { sketch: new QuantileSketch(), valid: 0 }]),
  );
  let [frames, windows, whole, run] = [0, 0, 0, 0];
  for await (const { values } of episodeFrames(reader, contract, { decodesPictures: false })) {
    frames++;
    let isComplete = true;
    for (const [key, { ageNanos, valid, feature }] of values) {
      const age = ages.get(key)!;
      if (ageNanos !== undefined) age.sketch.add(Math.abs(nanosToSecs(ageNanos)));
      if (valid) age.valid++;
      else if ('stream' in feature && contract.streams[feature.stream]!.required) isComplete = false;
    }
    run = isComplete ? run + 1 : 0;
    if (frames < length || (frames - length) % stride !== 0) continue;
    windows++;
    if (run >= length) whole++;
  }
  const features = Object.entries(contract.features).flatMap(([key, feature]): FeatureAges[] => {
    if (!('stream' in feature)) return []; // of the episode's outcome, not of a message
    const { topic, type, rateHz } = contract.streams[feature.stream]!;
    const { sketch, valid } = ages.get(key)!;
    const stream = checkedStream(topic, type, contract);
    const periodSecs = rateHz ? 1 / rateHz : 0;
    const share = frames > 0 ? valid / frames : 0;
    return [{ key, stream, p95AgeSecs: sketch.quantile(0.95), periodSecs, valid: share }];
  });
  return { frames, features, windows, wholeWindows: whole };
}
