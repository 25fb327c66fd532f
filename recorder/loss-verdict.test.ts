import { expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import type { Loss } from '../schemas/ledger.ts';
import { untoleratedLosses } from './loss-verdict.ts';

const { contract } = parseContract(
  `
kinescribe: 1
name: c
robot: { model: r }
streams:
  strict: { topic: /strict, role: motion, type: a/msg/B }
  lenient: { topic: /lenient, role: motion, type: a/msg/B, toleratedLoss: 0.1 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick it] }
`,
  'c.yaml',
);
const loss = (topic: string, messages: number | null): Loss => ({
  topic,
  cause: 'gap',
  messages,
  startTime: 0n,
  endTime: 1n,
});
const totals = ['/strict', '/lenient', '/other'].map((topic) => ({ topic, received: 90, written: 90 }));

it.each([
  ['one message of a strict stream', [loss('/strict', 1)], ['/strict']],
  ['a tenth of a lenient stream', [loss('/lenient', 10)], []],
  ['more than a tenth, in two gaps', [loss('/lenient', 10), loss('/lenient', 1)], ['/lenient']],
  ['a loss without a number', [loss('/lenient', null)], ['/lenient']],
  ['a topic outside the contract', [loss('/other', 1)], ['/other']],
  ['nothing', [], []],
])('untoleratedLosses() judges %s', (_what, losses, topics) => {
  expect(untoleratedLosses({ totals, losses }, contract).map(({ topic }) => topic)).toEqual(topics);
});
