import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CALIBRATION_SUFFIX, type Calibration, calibrationSchema } from '../../schemas/calibration.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { UsageError } from '../../schemas/errors.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import { storedContract } from '../../schemas/stored-contract.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import { doubtsOf } from './calibration-doubts.ts';
import { checkEpisode, observeAll } from './check-episode.ts';
import { Feed } from './feed.ts';
import { TRACKING_CHECKS } from './motion/tracking-checks.ts';
import { RigCollector } from './rig-collector.ts';

/** A rig shows its noise and its reach in this time, seconds. */
const SHORTEST_SECS = 10;

export interface Calibrated {
  readonly calibration: Calibration;
  /** What of it is hardly so, in words. */
  readonly doubts: readonly string[];
}

/**
 * What a rig is like when nothing touches it: from an episode in which the robot moves freely.
 *
 * @throws {UsageError} when the episode has no contract or is too short.
 */
export async function calibrate(file: string, time: Date): Promise<Calibrated> {
  await using reader = await EpisodeReader.open(file);
  const contract = (await storedContract(reader))?.contract;
  const secs = nanosToSecs(reader.endTime - reader.startTime);
  if (!contract || secs < SHORTEST_SECS) {
    const found = contract
      ? `it lasts ${secs.toFixed(1)} s`
      : 'it carries no contract, so that no stream has a name';
    throw new UsageError(
      `Cannot calibrate from "${file}": that needs ${SHORTEST_SECS} s or more of free motion recorded under a contract, ` +
        `but ${found}. Record 20 s in which the robot moves and touches nothing.`,
    );
  }
  const collector = new RigCollector();
  await observeAll(reader, new Feed(collector, { streams: [], contract }));
  const lag = TRACKING_CHECKS.filter(({ id }) => id === 'A05');
  const [{ findings, info }, episodeDigest] = await Promise.all([
    checkEpisode(file, { checks: lag, contract }),
    fileDigest(file),
  ]);
  const lags = findings.flatMap(({ stream, value, status }) =>
    stream !== undefined && value !== undefined && status !== 'not_assessed'
      ? [[stream, value] as const]
      : [],
  );
  const calibration: Calibration = {
    kinescribe: 1,
    robot: info?.robot ?? contract.robot.model,
    episodeDigest,
    time: time.toISOString(),
    ...collector.finish(),
    commandLagSecs: Object.fromEntries(lags),
  };
  const { motion, depths } = collector;
  return { calibration, doubts: doubtsOf(calibration, { motion, depths, contract }) };
}

/** Keeps a calibration in a library, in place of an earlier one of the same robot. @returns the file. */
export async function writeCalibration(directory: string, calibration: Calibration): Promise<string> {
  const name = calibration.robot.replaceAll(/[^\w.-]+/g, '_');
  const file = join(directory, `${name}${CALIBRATION_SUFFIX}`);
  await writeFile(file, `${JSON.stringify(calibration, null, 1)}\n`);
  return file;
}

/** The calibrations that lie in a library, by robot. @throws {UsageError} when one is not readable. */
export async function readCalibrations(directory: string): Promise<ReadonlyMap<string, Calibration>> {
  const names = await readdir(directory).catch(() => []); // a new library holds none
  const files = names
    .filter((name) => name.endsWith(CALIBRATION_SUFFIX))
    .map((name) => join(directory, name));
  const calibrations = await Promise.all(files.map(readCalibration));
  return new Map(calibrations.map((calibration) => [calibration.robot, calibration]));
}

/** Those of all libraries that some episodes lie in. @throws {UsageError} when one is not readable. */
export async function calibrationsBeside(
  files: readonly string[],
): Promise<ReadonlyMap<string, Calibration>> {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const found = await Promise.all(folders.map(readCalibrations));
  return new Map(found.flatMap((calibrations) => [...calibrations]));
}

/** @throws {UsageError} when the file is no calibration. */
export async function readCalibration(file: string): Promise<Calibration> {
  try {
    return calibrationSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new UsageError(
      `Cannot read calibration "${file}": ${(cause as Error).message}. Remove it, or make it anew with "kinescribe calibrate".`,
      { cause },
    );
  }
}
