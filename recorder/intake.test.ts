import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { decodeEvent, EVENTS_TOPIC } from '../schemas/episode-events.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Recorder } from './recorder.ts';
import { ScriptedSource } from './scripted-source.ts';

const contractFile = parseContract(
  `
kinescribe: 1
name: bench
robot: { model: test-arm }
streams:
  load: { topic: /load, role: interaction, type: lab_msgs/msg/Load, rateHz: 100, maxGapSecs: 0.05 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [push] }
`,
  'bench.yaml',
);
const load = (definition: string): ChannelSpec => ({
  topic: '/load',
  messageEncoding: 'cdr',
  schema: { name: 'lab_msgs/msg/Load', encoding: 'ros2msg', data: new TextEncoder().encode(definition) },
  metadata: new Map(),
});
const OLD = load('float32 newtons\n');
const NEW = load('float64 newtons\n');
const START = secsToNanos(1_700_000_000);
const at = (secs: number) => START + secsToNanos(secs);
const TAKE = { task: 'push', operator: 'op-1' };

let directory: string;
let source: ScriptedSource;
let recorder: Recorder;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-intake-'));
  source = new ScriptedSource([OLD], START);
  recorder = await Recorder.open(source, { contractFile, directory, version: 'test' });
});
afterEach(async () => {
  await recorder.close();
  await rm(directory, { recursive: true });
});

/** Sends at 100 Hz from one instant to another. */
function send(channelKey: number, [fromSecs, toSecs]: readonly [number, number]): void {
  for (let i = 100 * fromSecs; i < 100 * toSecs; i++) {
    source.send({ channelKey, logTime: at(i / 100), data: new Uint8Array(12) });
  }
}

async function takenFrom(secs: number, during: () => void) {
  source.clock.time = at(secs);
  await recorder.startTake(TAKE);
  during();
  const take = await recorder.stopTake();
  await recorder.keepTake({}, TAKE.operator);
  const reader = await EpisodeReader.open(take.file);
  const events = [];
  for await (const { data } of reader.messages({ topics: [EVENTS_TOPIC] })) events.push(decodeEvent(data));
  await reader.close();
  return { ...take, channels: [...reader.channels.values()], counts: reader.messageCounts, events };
}

describe('Intake', () => {
  it('goes on in one account when the definition of a topic changes', async () => {
    const { ledger, channels, counts } = await takenFrom(0, () => {
      send(0, [0, 1]);
      source.tell((sink) => sink.channel(1, NEW));
      send(1, [1, 2]);
    });
    expect(ledger).toEqual({ totals: [{ topic: '/load', received: 200, written: 200 }], losses: [] });
    const ofTopic = channels.filter(({ topic }) => topic === '/load');
    expect(ofTopic.map(({ id, schema }) => [schema!.data, counts.get(id)])).toEqual(
      [OLD, NEW].map(({ schema }) => [schema!.data, 100]),
    );
    expect(recorder.status().streams).toHaveLength(1);
  });

  it('writes that a definition is disputed into the take it falls into, and into the next while it lasts', async () => {
    const disputed = { event: 'definition-disputed', by: 'recorder', text: 'two workspaces' };
    const of = ({ events }: Awaited<ReturnType<typeof takenFrom>>) =>
      events.filter(({ event }) => event === disputed.event);
    const during = await takenFrom(0, () => source.tell((sink) => sink.disputed!('/load', disputed.text)));
    expect(of(during)).toEqual([disputed]);
    expect(of(await takenFrom(5, () => {}))).toEqual([disputed]);
    source.tell((sink) => sink.disputed!('/load', undefined));
    expect(of(await takenFrom(9, () => {}))).toEqual([]);
  });
});
