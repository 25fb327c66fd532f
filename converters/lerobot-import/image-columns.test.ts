import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { decodeRgb } from '../../schemas/image-codec.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import { importLerobot } from './import-lerobot.ts';

/** Two rows as pyarrow writes them: PNG pictures of 2 × 2, a red and a blue one, as struct{bytes, path}. */
const ROWS = [
  'UEFSMRUAFb4CFb4CLBUEFQAVBhUGHAAAAAIAAAAEAkkAAACJUE5HDQoaCgAAAA1JSERSAAAAAgAAAAIIAgAAAP3UmnMAAAAQSURB',
  'VHicY/jPwABEDBAKAB/uA/2LXxTUAAAAAElFTkSuQmCCSAAAAIlQTkcNChoKAAAADUlIRFIAAAACAAAAAggCAAAA/dSacwAAAA9J',
  'REFUeJxjYGD4D0ZgCgAX9gP9fus38wAAAABJRU5ErkJgghUAFQwVDCwVBBUAFQYVBhwAAAACAAAABAEVABUcFRwsFQQVABUGFQYc',
  'AAAAAgAAAAQBAAAAAM3MzD0VABUsFSwsFQQVABUGFQYcAAAAAgAAAAQBAAAAAAAAAAAAAAAAAAAAABUAFSwVLCwVBBUAFQYVBhwA',
  'AAACAAAABAEAAAAAAAAAAAAAAAAAAAAAFQQZfDUAGAZzY2hlbWEVCAA1AhgWb2JzZXJ2YXRpb24uaW1hZ2VzLnRvcBUEABUMJQIY',
  'BWJ5dGVzABUMJQIYBHBhdGglAEwcAAAAFQglAhgJdGltZXN0YW1wABUEJQIYDWVwaXNvZGVfaW5kZXgAFQQlAhgKdGFza19pbmRl',
  'eAAWBBkcGVwmABwVDBklBgAZKBZvYnNlcnZhdGlvbi5pbWFnZXMudG9wBWJ5dGVzFQAWBBboAhboAiYISRwVABUAFQIAPBaiAhkG',
  'GTYAAAQAAAAmABwVDBklBgAZKBZvYnNlcnZhdGlvbi5pbWFnZXMudG9wBHBhdGgVABYEFjIWMibwAkkcFQAVABUCADwWABkGGTYA',
  'BAAAAAAmABwVCBklBgAZGAl0aW1lc3RhbXAVABYEFkIWQiaiA0kcFQAVABUCADwpBhkmAAQAAAAmABwVBBklBgAZGA1lcGlzb2Rl',
  'X2luZGV4FQAWBBZSFlIm5ANJHBUAFQAVAgA8KQYZJgAEAAAAJgAcFQQZJQYAGRgKdGFza19pbmRleBUAFgQWUhZSJrYESRwVABUA',
  'FQIAPCkGGSYABAAAABaABRYEJggWgAUAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRlcHAAAHAAAHAAAHAAAHAAA',
  'APYBAABQQVIx',
].join('');

const INFO = {
  ...{ codebase_version: 'v2.1', robot_type: null, fps: 10, total_episodes: 1, chunks_size: 1000 },
  data_path: 'data/episode_{episode_index:06d}.parquet',
  features: {
    'observation.images.top': { dtype: 'image', shape: [3, 2, 2], names: ['channel', 'height', 'width'] },
    timestamp: { dtype: 'float32', shape: [1], names: null },
  },
};

it('importLerobot() takes pictures out of columns as they are', async () => {
  await using folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  await Promise.all(['meta', 'data'].map((name) => mkdir(at(name))));
  await writeFile(at('meta/info.json'), JSON.stringify(INFO));
  await writeFile(at('meta/tasks.jsonl'), '{"task_index":0,"task":"look"}\n');
  await writeFile(at('meta/episodes.jsonl'), '{"episode_index":0,"length":2}\n');
  await writeFile(at('data/episode_000000.parquet'), Buffer.from(ROWS, 'base64'));
  const report = await importLerobot(folder.path, {
    ...{ library: at('library'), name: 'pictures', units: [], version: 'test' },
  });
  expect(report.leftOut).toEqual([]);
  expect(report.contract.contract.features).toMatchObject({
    'observation.images.top': { kind: 'image', width: 2, height: 2 },
  });
  await using reader = await EpisodeReader.open(at('library/pictures-000000.mcap'));
  const colours: (number[] | undefined)[] = [];
  for await (const { channel, data } of reader.messages()) {
    const { format, data: picture } = createDecoder(channel)(data);
    expect(format).toBe('png');
    const { pixels } = await decodeRgb(picture as Uint8Array);
    colours.push([...pixels.subarray(0, 3)]);
  }
  expect(colours).toEqual([
    [255, 0, 0],
    [0, 0, 255],
  ]);
});
