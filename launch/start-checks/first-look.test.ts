import { describe, expect, it } from 'vitest';
import { parseContract } from '../../schemas/contract-file.ts';
import type { StreamStatus } from '../../schemas/recording-control.ts';
import { firstLook, untilHeard } from './first-look.ts';

const { contract } = parseContract(
  `
kinescribe: 1
name: cell
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: std_msgs/msg/String, rateHz: 100 }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/Image, rateHz: 30, required: false }
  latched: { topic: /latched, role: context, type: std_msgs/msg/String }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'cell.yaml',
);
const joints = (change: Partial<StreamStatus>): StreamStatus => ({
  topic: '/joints',
  stream: 'joints',
  received: 0,
  bytes: 0,
  lost: 0,
  rateHz: 0,
  expectedRateHz: 100,
  silentSecs: 0,
  largestGapSecs: 0,
  ageSecs: undefined,
  trouble: undefined,
  ...change,
});
const { signal } = new AbortController();

describe('firstLook()', () => {
  it('ends as soon as the streams that have to be there are heard', async () => {
    let looks = 0;
    const streams = () => [joints({ received: looks++ > 3 ? 1 : 0 })];
    expect(await firstLook({ streams, contract, signal })).toEqual([]);
    expect(looks).toBeLessThan(10);
  });

  it('names a stream that stays silent and one that is too slow', async () => {
    const slow = joints({ received: 200, rateHz: 61.23, trouble: 'slow' });
    const looks = [() => [], () => [slow]].map((streams) => firstLook({ streams, contract, signal }));
    const found = (await Promise.all(looks)).map((checks) => checks.map((check) => check.found));
    expect(found).toEqual([['"/joints" is silent'], ['"/joints" 61.2 Hz, the contract says 100 Hz']]);
  });

  it('ends when the recording does', async () => {
    expect(await firstLook({ streams: () => [], contract, signal: AbortSignal.abort() })).toEqual([]);
  });
});

describe('untilHeard()', () => {
  it('waits for the streams that have to be there, or the end of the recording', async () => {
    let looks = 0;
    const streams = () => [joints({ received: looks++ > 3 ? 1 : 0, trouble: 'slow' })];
    await untilHeard({ streams, contract, signal });
    expect(looks).toBe(5);
    await untilHeard({ streams: () => [], contract, signal: AbortSignal.abort() });
  });
});
