import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readContract } from '../../schemas/contract-file.ts';
import { STREAMS } from './streams.ts';

test('demo-arm.yaml lists the streams of the robot, with their types and rates', async () => {
  const { contract } = await readContract(
    fileURLToPath(new URL('../contracts/demo-arm.yaml', import.meta.url)),
  );
  const listed = Object.values(contract.streams).map(({ topic, type, rateHz }) => ({ topic, type, rateHz }));
  const sent = STREAMS.map(({ topic, type, rateHz }) => ({ topic, type, rateHz }));
  const byTopic = (a: { topic: string }, b: { topic: string }) => a.topic.localeCompare(b.topic);
  expect(listed.sort(byTopic)).toEqual(sent.sort(byTopic));
});
