import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { decodeEvent, EVENTS_TOPIC } from '../schemas/episode-events.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { UsageError } from '../schemas/errors.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { ScriptedSource } from './scripted-source.ts';
import type { SourceWarning } from './source.ts';

const CONTRACT = `
kinescribe: 1
name: bench
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100, maxGapSecs: 0.05 }
  camera: { topic: /camera, role: perception, type: test_msgs/msg/Image }
  static: { topic: /tf_static, role: context, type: tf2_msgs/msg/TFMessage, required: false }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`;
const contractFile = parseContract(CONTRACT, 'bench.yaml');
const json = (topic: string, metadata = new Map<string, string>()): ChannelSpec => ({
  topic,
  messageEncoding: 'json',
  schema: undefined,
  metadata,
});
const CHANNELS = [
  json('/joints'),
  json('/camera'),
  json(
    '/tf_static',
    new Map([['offered_qos_profiles', '- history: keep_last\n  durability: transient_local']]),
  ),
];
const START = secsToNanos(1_700_000_000);
const at = (secs: number) => START + secsToNanos(secs);
const text = new TextDecoder();
const payload = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const TAKE = { task: 'pick the block', operator: 'op-1' };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function session(options: Partial<RecorderOptions> = {}) {
  const source = new ScriptedSource(CHANNELS, START);
  const recorder = await Recorder.open(source, { contractFile, directory, version: 'test', ...options });
  return { source, recorder };
}

async function contentOf(file: string) {
  await using reader = await EpisodeReader.open(file);
  const messages = [];
  const events = [];
  for await (const { channel, sequence, logTime, data } of reader.messages()) {
    if (channel.topic === EVENTS_TOPIC) events.push({ logTime, ...decodeEvent(data) });
    else messages.push({ topic: channel.topic, sequence, logTime, value: JSON.parse(text.decode(data)) });
  }
  return { messages, events, info: await reader.info(), ledger: await reader.ledger() };
}

describe('Recorder', () => {
  it('writes exactly the messages between start and stop', async () => {
    const { source, recorder } = await session();
    source.send({ channelKey: 0, logTime: at(0), data: payload('before') });
    source.clock.time = at(1);
    await recorder.startTake(TAKE);
    for (let i = 0; i < 100; i++) source.send({ channelKey: 0, logTime: at(1 + i / 100), data: payload(i) });
    source.send({ channelKey: 1, logTime: at(1.99), data: payload('picture') });
    const take = await recorder.stopTake();
    source.send({ channelKey: 0, logTime: at(3), data: payload('after') });
    await recorder.keepTake({ outcome: 'success' }, 'op-1');
    await recorder.close();

    const { messages, info, ledger } = await contentOf(take.file);
    expect(messages.filter(({ topic }) => topic === '/joints').map(({ value }) => value)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(messages.at(-1)).toMatchObject({ topic: '/camera', value: 'picture', logTime: at(1.99) });
    expect(info).toMatchObject({
      id: 'bench-0001',
      task: 'pick the block',
      operator: 'op-1',
      source: 'scripted',
    });
    expect(ledger?.losses).toEqual([]);
    expect(currentLabel(await readLabels(take.file), 'outcome')).toBe('success');
  });

  it('writes latched messages again at the start of every take', async () => {
    const { source, recorder } = await session();
    source.send({ channelKey: 2, logTime: at(0), data: payload('static transforms') });
    for (const start of [1, 2]) {
      source.clock.time = at(start);
      await recorder.startTake(TAKE);
      const { messages } = await contentOf((await recorder.stopTake()).file);
      expect(messages).toMatchObject([
        { topic: '/tf_static', value: 'static transforms', logTime: at(start) },
      ]);
      await recorder.keepTake({}, 'op-1');
    }
    await recorder.close();
  });

  it('holds the pre-roll: latched topics first, then what came before the start, in order', async () => {
    const withPreRoll = CONTRACT.replace('block] }', 'block], preRollSecs: 2 }');
    const { source, recorder } = await session({ contractFile: parseContract(withPreRoll, 'bench.yaml') });
    source.send({ channelKey: 2, logTime: at(0), data: payload('static') });
    for (let i = 0; i < 50; i++) source.send({ channelKey: 0, logTime: at(i / 10), data: payload(i) });
    source.clock.time = at(5);
    await recorder.startTake(TAKE);
    source.send({ channelKey: 0, logTime: at(5.1), data: payload('after') });
    const { file, startTime } = await recorder.stopTake();
    const { messages, events } = await contentOf(file);
    const joints = Array.from({ length: 20 }, (_, i) => 30 + i); // of 3.0 to 4.9 s
    expect(messages.map(({ value }) => value)).toEqual(['static', ...joints, 'after']);
    expect(messages[0]!.logTime).toBe(at(3));
    expect(startTime).toBe(at(5));
    expect(events).toMatchObject([{ event: 'start', logTime: at(5) }, { event: 'stop' }]);
    await recorder.keepTake({}, 'op-1');
    await recorder.close();
  });

  it('cuts the pre-roll to its bound in bytes', async () => {
    const withPreRoll = CONTRACT.replace('block] }', 'block], preRollSecs: 60 }');
    const contract = parseContract(withPreRoll, 'bench.yaml');
    const { source, recorder } = await session({ contractFile: contract, maxPreRollBytes: 101_280 });
    for (let i = 0; i < 50; i++) {
      source.send({ channelKey: 1, logTime: at(i / 10), data: payload('x'.repeat(9_998)) });
    }
    await recorder.startTake(TAKE);
    const { messages } = await contentOf((await recorder.stopTake()).file);
    expect(messages.map(({ logTime }) => logTime)).toEqual(
      Array.from({ length: 10 }, (_, i) => at(4 + i / 10)),
    );
    await recorder.close();
  });

  it('hands over a pre-roll that is larger than its queue without refusing any of it', async () => {
    const withPreRoll = CONTRACT.replace('block] }', 'block], preRollSecs: 60 }');
    const contract = parseContract(withPreRoll, 'bench.yaml');
    const { source, recorder } = await session({ contractFile: contract, maxQueueBytes: 50_000 });
    source.send({ channelKey: 2, logTime: at(0), data: payload('y'.repeat(30_000)) });
    for (let i = 0; i < 50; i++) {
      source.send({ channelKey: 1, logTime: at(i / 10), data: payload('x'.repeat(9_998)) });
    }
    await recorder.startTake(TAKE);
    const { file, ledger } = await recorder.stopTake();
    expect(ledger.losses.filter(({ cause }) => cause === 'queue-full')).toEqual([]);
    expect((await contentOf(file)).messages).toHaveLength(51);
    await recorder.close();
  });

  it('writes every control as an event on the clock of the streams', async () => {
    const { source, recorder } = await session();
    await recorder.startTake(TAKE);
    source.clock.time = at(1);
    recorder.mark({ event: 'mistake', by: 'op-1', text: 'dropped it' });
    recorder.mark({ event: 'pause', by: 'op-1' });
    source.send({ channelKey: 0, logTime: at(1.5), data: payload('recorded all the same') });
    expect(() => recorder.mark({ event: 'pause', by: 'op-1' })).toThrow('the take is paused');
    expect(recorder.status().paused).toBe(true);
    source.clock.time = at(2);
    recorder.mark({ event: 'resume', by: 'op-1' });
    expect(() => recorder.mark({ event: 'resume', by: 'op-1' })).toThrow('the take is not paused');
    expect(recorder.status().paused).toBe(false);
    const { file } = await recorder.stopTake();
    const { events, messages } = await contentOf(file);
    expect(messages.map(({ value }) => value)).toEqual(['recorded all the same']);
    expect(events).toEqual([
      { event: 'start', by: 'op-1', logTime: at(0) },
      { event: 'mistake', by: 'op-1', text: 'dropped it', logTime: at(1) },
      { event: 'pause', by: 'op-1', logTime: at(1) },
      { event: 'resume', by: 'op-1', logTime: at(2) },
      { event: 'stop', by: 'op-1', logTime: at(2) },
    ]);
    await recorder.keepTake({ outcome: 'failure', quality: 2, note: 'slippery' }, 'op-1');
    const labels = await readLabels(file);
    expect(currentLabel(labels, 'quality')).toBe(2);
    expect(currentLabel(labels, 'note')).toBe('slippery');
    await recorder.close();
  });

  it('writes a step of the system clock into the take it falls into, and into those that follow', async () => {
    const warnings: SourceWarning[] = [];
    const { source, recorder } = await session({ onWarning: (warning) => warnings.push(warning) });
    const takes = [];
    for (const secs of [0, 10]) {
      source.clock.time = at(secs);
      await recorder.startTake(TAKE);
      source.clock.time = at(secs + 1);
      source.clock.steppedNanos = secsToNanos(-3600);
      source.send({ channelKey: 0, logTime: at(secs + 1), data: payload('after the step') });
      takes.push((await recorder.stopTake()).file);
      await recorder.keepTake({}, TAKE.operator);
    }
    await recorder.close();
    const [during, before] = await Promise.all(takes.map(contentOf));
    const step = { event: 'clock-step', by: 'recorder', text: '-3600.000 s' };
    const [start, stop] = ['start', 'stop'].map((event) => ({ event, by: 'op-1' }));
    expect(during!.events).toEqual([
      { ...start, logTime: at(0) },
      { ...stop, logTime: at(1) },
      { ...step, logTime: at(1) },
    ]);
    expect(during!.messages.map(({ logTime }) => logTime)).toEqual([at(1)]);
    expect(before!.events).toEqual([
      { ...start, logTime: at(10) },
      { ...step, logTime: at(10) },
      { ...stop, logTime: at(11) },
    ]);
    expect(warnings.map(({ kind }) => kind)).toEqual(['clock-step']);
  });

  it('accounts for publishers that vanished and datagrams that the kernel dropped', async () => {
    const { source, recorder } = await session();
    source.send({ channelKey: 1, logTime: at(0), data: payload('picture') });
    source.tell((sink) => sink.datagramsDropped!(1000)); // before the take
    await recorder.startTake(TAKE);
    for (let i = 0; i < 100; i++) source.send({ channelKey: 0, logTime: at(i / 100), data: payload(i) });
    source.tell((sink) => sink.offered!(1, false));
    source.tell((sink) => sink.offered!(2, false)); // latched: what it said stays valid
    source.tell((sink) => sink.datagramsDropped!(20));
    source.tell((sink) => sink.datagramsDropped!(3));
    expect(recorder.status().streams.find(({ stream }) => stream === 'camera')!.trouble).toBe('silent');
    source.clock.time = at(2);
    const first = await recorder.stopTake();
    await recorder.keepTake({}, TAKE.operator);
    const gone = { topic: '/camera', cause: 'publisher-gone', messages: null };
    expect(first.ledger.losses.filter(({ cause }) => cause === 'publisher-gone')).toEqual([
      { ...gone, startTime: at(0.99), endTime: at(2) },
    ]);
    expect((await contentOf(first.file)).ledger).toMatchObject({ droppedDatagrams: 23 });
    await recorder.startTake(TAKE);
    source.clock.time = at(3);
    source.tell((sink) => sink.offered!(1, true));
    source.clock.time = at(4);
    const second = await recorder.stopTake();
    expect(second.ledger.losses).toContainEqual({ ...gone, startTime: at(2), endTime: at(3) });
    expect(second.ledger.droppedDatagrams).toBeUndefined();
    await recorder.close();
  });

  it('goes on for the post-roll after the stop control', async () => {
    const withPostRoll = CONTRACT.replace('block] }', 'block], postRollSecs: 0.2 }');
    const { source, recorder } = await session({ contractFile: parseContract(withPostRoll, 'bench.yaml') });
    await recorder.startTake(TAKE);
    source.clock.time = at(1);
    const stopping = recorder.stopTake();
    source.send({ channelKey: 0, logTime: at(1.1), data: payload('in the post-roll') });
    const { messages, events } = await contentOf((await stopping).file);
    expect(messages.map(({ value }) => value)).toEqual(['in the post-roll']);
    expect(events.at(-1)).toMatchObject({ event: 'stop', logTime: at(1) });
    await recorder.close();
  });

  it('refuses a take that does not fit the disk, and says what to do', async () => {
    const { recorder } = await session({ reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(recorder.startTake(TAKE)).rejects.toThrow(/Make room on the disk/);
    expect(recorder.status().storage.exhausted).toBe(true);
    await recorder.close();
  });

  it('refuses messages beyond the bound, counts them exactly and names them by topic and time', async () => {
    const { source, recorder } = await session({ maxQueueBytes: 100_000 });
    await recorder.startTake(TAKE);
    // One turn of the event loop: nothing can leave the queue meanwhile.
    for (let i = 0; i < 50; i++) {
      source.send({ channelKey: 1, logTime: at(i / 100), data: payload('x'.repeat(10_000)) });
    }
    const { file, ledger } = await recorder.stopTake();
    const { messages } = await contentOf(file);
    const refused = 50 - messages.length;
    expect(refused).toBeGreaterThan(0);
    expect(ledger.losses.filter(({ cause }) => cause === 'queue-full')).toEqual([
      {
        topic: '/camera',
        cause: 'queue-full',
        messages: refused,
        startTime: at(messages.length / 100),
        endTime: at(0.49) + 1n,
      },
    ]);
    expect(ledger.totals).toContainEqual({ topic: '/camera', received: 50, written: messages.length });
    await recorder.keepTake({}, 'op-1');
    await recorder.close();
  });

  it('names a required stream that never sent', async () => {
    const { source, recorder } = await session();
    await recorder.startTake(TAKE);
    source.send({ channelKey: 0, logTime: at(0), data: payload(1) });
    source.clock.time = at(0.01);
    const { ledger } = await recorder.stopTake();
    expect(ledger.losses).toMatchObject([{ topic: '/camera', cause: 'silent', messages: null }]);
    await recorder.keepTake({}, 'op-1');
    await recorder.close();
  });

  it('discards into the trash folder and never gives a number twice', async () => {
    const { recorder } = await session();
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      ids.push(await recorder.startTake(TAKE));
      await recorder.stopTake();
      await recorder.discardTake();
    }
    await recorder.close();
    expect(ids).toEqual(['bench-0001', 'bench-0002']);
    expect(await readdir(join(directory, 'trash'))).toEqual(['bench-0001.mcap', 'bench-0002.mcap']);
  });

  it('refuses a control that the state does not allow', async () => {
    const { recorder } = await session();
    await expect(recorder.stopTake()).rejects.toThrow(UsageError);
    const starts = await Promise.allSettled([recorder.startTake(TAKE), recorder.startTake(TAKE)]);
    expect(starts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await recorder.close(); // stops and keeps the running take
    expect(await readdir(directory)).toEqual(['bench-0001.mcap']);
  });

  it('reports a folder that vanished, and records again once it is back', async () => {
    const { recorder } = await session();
    await rm(directory, { recursive: true });
    await expect(recorder.startTake(TAKE)).rejects.toThrow();
    expect(recorder.state).toBe('idle');
    const { recorder: again } = await session();
    await again.startTake(TAKE);
    await again.close();
    await recorder.close();
  });

  it('goes on numbering past a file that a crash left behind', async () => {
    await writeFile(join(directory, 'bench-0007.mcap.part'), '');
    const { recorder } = await session();
    expect(await recorder.startTake(TAKE)).toBe('bench-0008');
    await recorder.close();
  });
});
