import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyAudioAgainst } from '../converters/audio/verify-audio.ts';
import { convertEpisodes } from '../converters/convert.ts';
import { joints, testContractFile, writeTestEpisode } from '../converters/episode.fixture.ts';
import { filesBelow } from '../converters/files-below.ts';
import { readManifest } from '../converters/manifest.ts';
import { verifyDataset } from '../converters/verify.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { FORMATS, formatsNamed } from './formats.ts';

const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  mic: { topic: /mic, role: perception, type: audio_common_msgs/msg/AudioDataStamped }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 }
  action: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 }
audio: { microphone: { stream: mic, sampleRateHz: 1000 } }
samples: { tickRateHz: 10 }`);

test('every dataset has the sound beside it, and is none the worse for it', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const chunk = new Uint8Array(Int16Array.from({ length: 100 }, (_, i) => i + 1).buffer);
  await writeTestEpisode(file, [
    joints('/arm', Object.fromEntries(Array.from({ length: 20 }, (_, i) => [i * 100, [i]]))),
    {
      topic: '/mic',
      type: 'audio_common_msgs/msg/AudioDataStamped',
      messages: [0, 100, 200, 500, 600].map((log) => ({ log, value: { audio: { data: chunk } } })),
    },
  ]);
  // The others ask for pictures.
  const formats = formatsNamed('lerobot,rlds,robomimic,webdataset,zarr');
  const out = join(folder.path, 'out');
  await convertEpisodes([file], { contract, formats, directory: out, version: '0' });
  const verified = formats.map(async ({ name }) => {
    const directory = join(out, name);
    const { faults } = await verifyDataset(directory, FORMATS);
    const { manifest } = await readManifest(directory);
    const [said] = manifest!.episodes;
    const against = await verifyAudioAgainst(directory, said!, { file, contract: contract.contract });
    const wavs = (await filesBelow(directory)).filter((path) => path.endsWith('.wav'));
    return { name, faults: [...faults, ...against], wavs };
  });
  expect(await Promise.all(verified)).toEqual(
    formats.map(({ name }) => ({ name, faults: [], wavs: ['audio/microphone/episode_000000.wav'] })),
  );
});
