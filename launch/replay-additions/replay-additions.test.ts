import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { episodeFrames } from '../../converters/episode-frames.ts';
import type { Frame } from '../../converters/frame.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { decodeRgb } from '../../schemas/image-codec.ts';
import { appendLabel } from '../../schemas/labels.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import type { AddedMessage, ReplayAddition } from '../../schemas/replay-addition.ts';
import { storedContract } from '../../schemas/stored-contract.ts';
import { secsToNanos } from '../../schemas/time.ts';
import { TOPICS } from '../demo-robot/streams.ts';
import { createUrdf } from '../demo-robot/urdf.ts';
import { along } from './contact-scene.ts';
import { writeDemoEpisode } from './demo-episode.fixture.ts';
import { replayAdditions } from './replay-additions.ts';

let folder: string;
let whole: EpisodeReader;
let bare: EpisodeReader;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinescribe-additions-'));
  await writeDemoEpisode(join(folder, 'whole.mcap'));
  await writeDemoEpisode(join(folder, 'bare.mcap'), {
    without: [TOPICS.tf, TOPICS.tfStatic, TOPICS.robotDescription],
    attachments: { 'arm.urdf': createUrdf() },
  });
  whole = await EpisodeReader.open(join(folder, 'whole.mcap'));
  bare = await EpisodeReader.open(join(folder, 'bare.mcap'));
});

afterAll(async () => {
  await whole.close();
  await bare.close();
  await rm(folder, { recursive: true });
});

async function additionOf(reader: EpisodeReader, topic: string): Promise<ReplayAddition> {
  const additions = await replayAdditions()(reader);
  const addition = additions.find(({ channels }) => channels.some((channel) => channel.topic === topic))!;
  await addition.prepare?.();
  return addition;
}

const signal = new AbortController().signal;

async function messagesOf(addition: ReplayAddition, topic: string, startTime = 0n): Promise<AddedMessage[]> {
  const found: AddedMessage[] = [];
  for await (const message of addition.messages({ topics: new Set([topic]), startTime, signal })) {
    found.push(message);
  }
  return found;
}

const json = ({ data }: AddedMessage) => JSON.parse(Buffer.from(data).toString());

describe('what the policy sees', () => {
  test('is what a dataset of the episode holds, tick for tick', async () => {
    const { contract } = (await storedContract(whole))!;
    const frames: Frame[] = [];
    for await (const frame of episodeFrames(whole, contract, { decodesPictures: false })) frames.push(frame);
    const topic = '/kinescribe/policy/observation/state';
    const messages = await messagesOf(await additionOf(whole, topic), topic);
    const shown = messages.map((message) => json(message));
    const first = shown.findIndex(
      ({ value }) => JSON.stringify(value) === JSON.stringify([...elementsOf(frames[0]!)]),
    );
    expect(first).toBeGreaterThanOrEqual(0);
    expect(shown.slice(first, first + frames.length).map(({ value }) => value)).toEqual(
      frames.map((frame) => [...elementsOf(frame)]),
    );
    expect(shown[first]).toMatchObject({ valid: true, age_secs: expect.any(Number) });
  });

  test('shows pictures in the size of the dataset', async () => {
    const topic = '/kinescribe/policy/observation/images/front';
    const addition = await additionOf(whole, topic);
    const [message] = await addition.latestBefore(whole.endTime, { topics: new Set([topic]), signal });
    const channel = addition.channels.find((each) => each.topic === topic)!;
    const { data } = createDecoder(channel)(message!.data) as { data: Uint8Array };
    expect(await decodeRgb(data)).toMatchObject({ width: 320, height: 240 });
  });

  test('tells the age and the mask of every feature of a tick', async () => {
    const topic = '/kinescribe/policy/ages';
    const addition = await additionOf(whole, topic);
    const [message] = await addition.latestBefore(whole.startTime + secsToNanos(1.5), {
      topics: new Set([topic]),
      signal,
    });
    const { features } = json(message!) as { features: { key: string; valid: boolean; age_secs: number }[] };
    expect(features.map(({ key }) => key)).toContain('observation.wrench');
    expect(features.every(({ valid }) => valid)).toBe(true);
    expect(Math.max(...features.map(({ age_secs }) => age_secs))).toBeLessThan(0.1);
  });

  test('begins anywhere with the tick that is due', async () => {
    const topic = '/kinescribe/policy/action';
    const addition = await additionOf(whole, topic);
    const all = await messagesOf(addition, topic);
    const middle = all[30]!;
    expect(await messagesOf(addition, topic, middle.logTime)).toEqual(all.slice(30));
    const options = { topics: new Set([topic]), signal };
    expect(await addition.latestBefore(middle.logTime, options)).toEqual([middle]);
    expect(await addition.latestBefore(middle.logTime - 1n, options)).toEqual([all[29]]);
  });
});

function elementsOf(frame: Frame): ArrayLike<number> & Iterable<number> {
  const value = frame.values.get('observation.state')!;
  return value.kind === 'vector' ? value.elements : [];
}

interface Transform {
  readonly child_frame_id: string;
  readonly header: { readonly frame_id: string };
  readonly transform: Record<'translation' | 'rotation', Record<'x' | 'y' | 'z' | 'w', number>>;
}

describe('transforms', () => {
  const decode = (addition: ReplayAddition, { data }: AddedMessage) =>
    (createDecoder(addition.channels[0]!)(data) as unknown as { transforms: Transform[] }).transforms;

  test('are not added where the file has them', async () => {
    const topics = (await replayAdditions()(whole)).flatMap(({ channels }) =>
      channels.map(({ topic }) => topic),
    );
    expect(topics).not.toContain('/tf');
    expect(topics).not.toContain('/tf_static');
  });

  test.each([TOPICS.tf, TOPICS.tfStatic])('of %s are those that the robot itself sends', async (topic) => {
    const addition = await additionOf(bare, topic);
    const [derived] = await addition.latestBefore(bare.endTime, { topics: new Set([topic]), signal });
    const message = (await whole.latestBefore(whole.endTime, [topic])).get(topic)!;
    const { transforms } = createDecoder(message.channel)(message.data) as unknown as {
      transforms: Transform[];
    };
    const shown = new Map(decode(addition, derived!).map((each) => [each.child_frame_id, each]));
    expect([...shown.keys()].sort()).toEqual(transforms.map((each) => each.child_frame_id).sort());
    for (const { child_frame_id, header, transform } of transforms) {
      const own = shown.get(child_frame_id)!;
      expect(own.header.frame_id).toBe(header.frame_id);
      // The robot's own come at 60 Hz, joint states at 200: an arm moves a little between them.
      for (const axis of ['x', 'y', 'z'] as const) {
        expect(own.transform.translation[axis]).toBeCloseTo(transform.translation[axis], 2);
      }
      const [a, b] = [own.transform.rotation, transform.rotation];
      expect(Math.abs(a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w)).toBeCloseTo(1, 4);
    }
  });
});

describe('contacts', () => {
  test('are arrows along the force, or nothing where there is none', async () => {
    const topic = `/kinescribe/contact${TOPICS.wrench}`;
    const messages = await messagesOf(await additionOf(whole, topic), topic);
    expect(messages.length).toBeGreaterThan(100);
    expect(messages.length).toBeLessThan(160);
    const [entity] = json(messages.at(-1)!).entities;
    expect(entity).toMatchObject({ frame_id: 'ft_sensor', id: 'ft_sensor' });
    expect(entity.arrows).toHaveLength(1);
  });

  test('are a heat map of as many cubes as the array has taxels', async () => {
    const topic = `/kinescribe/tactile${TOPICS.tactile}`;
    const messages = await messagesOf(await additionOf(whole, topic), topic);
    const [entity] = json(messages.at(-1)!).entities;
    expect(entity.frame_id).toBe('fingertip_tactile');
    expect(entity.cubes).toHaveLength(16);
  });

  test.each([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, -2],
    [-3, 0, 0],
    [0.2, -0.7, 0.4],
  ])('along() turns the x axis to %d %d %d', (x, y, z) => {
    const q = along(x, y, z);
    const turned = [
      1 - 2 * (q.y * q.y + q.z * q.z),
      2 * (q.x * q.y + q.w * q.z),
      2 * (q.x * q.z - q.w * q.y),
    ];
    const length = Math.hypot(x, y, z);
    for (const [i, each] of [x, y, z].entries()) expect(turned[i]).toBeCloseTo(each / length, 12);
  });
});

describe('labels', () => {
  test('stand where they were said of, spans with both ends, and are read anew', async () => {
    const topic = '/kinescribe/labels';
    const addition = await additionOf(whole, topic);
    expect(await messagesOf(addition, topic)).toEqual([]);
    const at = (secs: number) => whole.startTime + secsToNanos(secs);
    const said = { author: 'op-1', time: '2026-01-01T00:00:00Z' };
    await appendLabel(whole.file, { ...said, label: { kind: 'outcome', value: 'success' } });
    await appendLabel(whole.file, {
      ...said,
      label: { kind: 'mark', name: 'grasp', startTime: at(0.5), endTime: at(1) },
    });
    const messages = await messagesOf(addition, topic);
    expect(
      messages.map((message) => [Number(message.logTime - whole.startTime) / 1e9, json(message)]),
    ).toEqual([
      [0, { kind: 'outcome', author: 'op-1', text: 'outcome success', active: '' }],
      [0.5, { kind: 'mark', author: 'op-1', text: 'grasp begins', active: 'grasp' }],
      [1, { kind: 'mark', author: 'op-1', text: 'grasp ends', active: '' }],
    ]);
    const options = { topics: new Set([topic]), signal };
    expect(json((await addition.latestBefore(at(0.7), options))[0]!)).toMatchObject({ active: 'grasp' });
  });
});
