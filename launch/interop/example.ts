import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { convertEpisodes } from '../../converters/convert.ts';
import type { DatasetFormat } from '../../converters/dataset-writer.ts';
import { episodeFrames } from '../../converters/episode-frames.ts';
import type { Frame } from '../../converters/frame.ts';
import { Recorder } from '../../recorder/recorder.ts';
import { type ContractFile, readContract } from '../../schemas/contract-file.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { DemoRobot, type DemoRobotOptions } from '../demo-robot/demo-robot.ts';
import { TOPICS } from '../demo-robot/streams.ts';
import { FORMATS, formatsNamed } from '../formats.ts';

/** Recordings, the datasets made of them, and the frames that these must hold. */
export interface Example {
  readonly episodes: readonly string[];
  readonly lerobot: string;
  readonly webdataset: string;
  /** Folder of all datasets, by the name of their format. */
  readonly datasets: string;
  /** Folder of `frames.json` and, for each feature, `<key>.raw`: float64 of vectors, RGB of pictures. */
  readonly source: string;
}

/** Two short takes of the simulated robot; in the second a camera and the force sensor fall silent. */
export async function makeExample(directory: string): Promise<Example> {
  const contract = await readContract(join(import.meta.dirname, '../contracts/demo-arm.yaml'));
  const takes: readonly DemoRobotOptions[] = [
    { seed: 21, durationSecs: 3 },
    {
      seed: 22,
      durationSecs: 2.5,
      faults: [
        { kind: 'drop', topic: TOPICS.wristImage, fromSecs: 1, forSecs: 0.4 },
        { kind: 'drop', topic: TOPICS.wrench, fromSecs: 1.5, forSecs: 0.2 },
      ],
    },
  ];
  const episodes = await recordTakes(contract, join(directory, 'recordings'), takes);
  return makeDatasets(episodes, contract, { directory, formats: [...FORMATS.values()] });
}

/** Records takes of the simulated robot; they are kept as successes. */
export async function recordTakes(
  contract: ContractFile,
  library: string,
  takes: readonly DemoRobotOptions[],
): Promise<readonly string[]> {
  const episodes: string[] = [];
  for (const options of takes) {
    const recorder = await Recorder.open(new DemoRobot(options), {
      contractFile: contract,
      directory: library,
      version: 'interop',
    });
    await recorder.startTake({ task: contract.contract.episode.tasks[0]!, operator: 'interop' });
    await recorder.sourceEnded;
    episodes.push((await recorder.stopTake()).file);
    await recorder.keepTake({ outcome: 'success' }, 'interop');
    await recorder.close();
  }
  return episodes;
}

/** A walking robot's 20 × 6 load cells at some 330 Hz, recorded with clocks that step back. */
export async function makeGaitExample(directory: string, data: string): Promise<Example | null> {
  const recording = join(data, 'crab_load_cell_gait/adya_gait.bag/adya_gait.bag_0.mcap');
  if (!existsSync(recording)) {
    console.warn(`interop: the tests with a real recording are skipped: there is no ${recording}`);
    return null;
  }
  const contract = await readContract(join(import.meta.dirname, 'gait.yaml'));
  return makeDatasets([recording], contract, { directory, formats: formatsNamed('lerobot,webdataset') });
}

async function makeDatasets(
  episodes: readonly string[],
  contract: ContractFile,
  { directory, formats }: { readonly directory: string; readonly formats: readonly DatasetFormat[] },
): Promise<Example> {
  const datasets = join(directory, 'datasets');
  await convertEpisodes(episodes, { contract, formats, directory: datasets, version: 'interop' });
  const source = join(directory, 'source');
  await writeSource(episodes, contract, source);
  return {
    episodes,
    source,
    datasets,
    lerobot: join(datasets, 'lerobot'),
    webdataset: join(datasets, 'webdataset'),
  };
}

/** Writes the frames as plainly as can be, for programs that know nothing of us. */
export async function writeSource(
  episodes: readonly string[],
  { contract }: ContractFile,
  directory: string,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const files = new Map(
    Object.keys(contract.features).map((key) => [key, createWriteStream(join(directory, `${key}.raw`))]),
  );
  const lengths: number[] = [];
  const valid = new Map<string, boolean[]>(Object.keys(contract.features).map((key) => [key, []]));
  const tickTimes: string[] = [];
  for (const episode of episodes) {
    await using reader = await EpisodeReader.open(episode);
    lengths.push(0);
    for await (const frame of episodeFrames(reader, contract)) {
      lengths[lengths.length - 1]!++;
      tickTimes.push(frame.tickTime.toString());
      for (const [key, { valid: isValid }] of frame.values) valid.get(key)!.push(isValid);
      for (const [key, bytes] of bytesOf(frame)) files.get(key)!.write(bytes);
    }
  }
  await Promise.all([...files.values()].map((file) => finished(file.end())));
  const { features, samples } = contract;
  await writeFile(
    join(directory, 'frames.json'),
    JSON.stringify({ features, samples, lengths, valid: Object.fromEntries(valid), tickTimes }),
  );
}

function* bytesOf(frame: Frame): Generator<[string, Uint8Array]> {
  for (const [key, value] of frame.values) {
    if (value.kind === 'image') yield [key, value.pixels];
    else if (value.kind === 'vector') yield [key, new Uint8Array(value.elements.slice().buffer)];
  }
}
