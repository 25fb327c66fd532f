import { expect, test } from 'vitest';
import { z } from '../schemas/validation.ts';
import { parseYaml } from '../schemas/yaml-document.ts';
import { datasetCard } from './dataset-card.ts';

const episode = {
  ...{ file: 'a.mcap', digest: `sha256:${'1'.repeat(64)}`, trimmedStart: 0, trimmedEnd: 0, clocks: [] },
  ...{ startTime: '0', endTime: '1' },
};

test('datasetCard() says what a dataset holds, how old its values are and where they come from', () => {
  const card = datasetCard(
    {
      version: '1.2.3',
      format: 'lerobot',
      contract: { name: 'my-arm', digest: `sha256:${'2'.repeat(64)}` },
      tickRateHz: 30,
      clock: 'sensor',
      split: { by: 'operator', seed: 1, shares: { train: 1, val: 1 } },
      frames: 1500,
      samples: 1500,
      episodes: [
        { ...episode, index: 0, id: 'a', task: 'pick', split: 'train', frames: 1000 },
        {
          ...{ ...episode, index: 1, id: 'b', task: 'place', split: 'val', frames: 500 },
          audio: [{ name: 'mic', samples: 266_667, silences: [{ from: 0, to: 800 }], driftSecs: 0 }],
        },
      ],
      skipped: ['c.mcap'],
      audio: [{ name: 'mic', sampleRateHz: 16_000, channels: 1, format: 's16le' }],
      features: [
        {
          ...{ key: 'observation.state', kind: 'vector', dtype: 'float32', shape: [7], unit: 'rad' },
          ...{ align: 'linear', ageP50Secs: 0.0021, ageP95Secs: null, invalidShare: 0.0125 },
        },
      ],
    },
    { example: 'load()', tags: ['LeRobot'], tables: 'data/*/*.parquet' },
  );
  const frontMatter = /^---\n([\s\S]*?)\n---\n/.exec(card)![1]!;
  expect(
    parseYaml(frontMatter, {
      file: 'README.md',
      schema: z.unknown(),
      fault: (issues) => new TypeError(JSON.stringify(issues)),
    }),
  ).toEqual({
    pretty_name: 'my-arm',
    task_categories: ['robotics'],
    tags: ['kinescribe', 'LeRobot'],
    size_categories: ['1K<n<10K'],
    configs: [{ config_name: 'default', data_files: 'data/*/*.parquet' }],
  });
  for (const said of [
    '2 episodes, 1500 frames at 30 Hz',
    '- pick (1 episode)',
    '| `observation.state` | float32 [7] rad | linear | 2.1 ms | – | 1.25 % |',
    'By operator, seed 1',
    '- val: 1 episode',
    '- `mic`: 1 × s16le at 16000 Hz, 0.050 s not recorded',
    '```python\nload()\n```',
    `| b | a.mcap | \`sha256:${'1'.repeat(64)}\` | 500 |`,
    'gave no frames: c.mcap',
  ]) {
    expect(card).toContain(said);
  }
});
