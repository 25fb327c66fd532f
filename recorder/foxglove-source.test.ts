import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { SourceError } from '../schemas/errors.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { Bridge } from './foxglove-bridge.fixture.ts';
import { type FoxgloveSourceOptions, openFoxgloveSource } from './foxglove-source.ts';
import { isLatched } from './latched-messages.ts';
import { Recorder } from './recorder.ts';
import type { Source, SourceMessage, SourceSink, SourceWarning } from './source.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

class Received implements SourceSink {
  readonly channels = new Map<number, ChannelSpec>();
  readonly messages: SourceMessage[] = [];
  readonly warnings: SourceWarning[] = [];
  failure: Error | undefined;
  hasEnded = false;

  channel(key: number, spec: ChannelSpec): void {
    expect(this.channels.has(key)).toBe(false);
    this.channels.set(key, spec);
  }
  message(message: SourceMessage): void {
    this.messages.push(message);
  }
  room(): Promise<void> {
    return Promise.resolve();
  }
  failed(error: Error): void {
    this.failure = error;
  }
  ended(): void {
    this.hasEnded = true;
  }
  warned(warning: SourceWarning): void {
    this.warnings.push(warning);
  }

  /** Payloads as text, with the topic before them. */
  get texts(): string[] {
    return this.messages.map(
      ({ channelKey, data }) => `${this.channels.get(channelKey)?.topic} ${Buffer.from(data)}`,
    );
  }
  readonly offers: [number, boolean][] = [];
  offered(channelKey: number, isOffered: boolean): void {
    this.offers.push([channelKey, isOffered]);
  }
  warningsOf(kind: SourceWarning['kind']): string[] {
    return this.warnings.filter((warning) => warning.kind === kind).map(({ message }) => message);
  }
}

/** A bridge that is closed after its test. */
async function openBridge(...args: Parameters<typeof Bridge.open>): Promise<Bridge> {
  const bridge = await Bridge.open(...args);
  cleanup.push(() => bridge.close());
  return bridge;
}

const contractFile = parseContract(
  `
kinescribe: 1
name: outage
robot: { model: test-arm }
streams:
  a: { topic: /a, role: motion, type: std_msgs/msg/String, rateHz: 100, maxGapSecs: 0.1 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'outage.yaml',
);
const INFO = { op: 'serverInfo', name: 'robot', capabilities: [], sessionId: 'one' };
const SIMULATION = { ...INFO, capabilities: ['time'] };
const channel = (id: number, topic: string, fields: object = {}) => ({
  ...{ id, topic, encoding: 'cdr', schemaName: 'std_msgs/msg/String', schemaEncoding: 'ros2msg' },
  ...{ schema: 'string data\n', ...fields },
});
const advertise = (...channels: object[]) => ({ op: 'advertise', channels });

async function open(url: string, options: FoxgloveSourceOptions = {}): Promise<Source> {
  const source = await openFoxgloveSource(url, { openingSecs: 1, ...options });
  cleanup.push(() => source.stop());
  return source;
}

async function record(bridge: Bridge, topics?: string[], options?: FoxgloveSourceOptions) {
  const source = await open(bridge.url, options);
  const received = new Received();
  await source.start(received, topics ? { topics: new Set(topics) } : {});
  return { source, received };
}

describe('openFoxgloveSource() on a robot', () => {
  it('subscribes to the topics wanted and gives their messages, stamped here and by the server', async () => {
    const bridge = await openBridge([INFO, advertise(channel(7, '/a'), channel(8, '/b'), channel(9, '/c'))]);
    const { source, received } = await record(bridge, ['/a', '/b', '/later']);
    await bridge.subscribed(7, 8);
    const before = source.clock.now();
    bridge.message(8, 1234n, 'one');
    bridge.message(7, 1235n, 'two');
    bridge.send(advertise(channel(20, '/later')));
    await bridge.subscribed(20, 7, 8);
    bridge.message(20, 0n, 'three');
    await vi.waitFor(() => expect(received.texts).toEqual(['/b one', '/a two', '/later three']));
    expect(received.messages.map(({ publishTime }) => publishTime)).toEqual([1234n, 1235n, undefined]);
    const times = received.messages.map(({ logTime }) => logTime);
    expect(times[0]).toBeGreaterThan(before);
    expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
    for (const { data } of received.messages) expect(data.byteLength).toBe(data.buffer.byteLength);
    expect(source.clock.anchor).toBeDefined();
    await source.stop();
    bridge.message(8, 1236n, 'after the stop');
    expect(received).toMatchObject({ failure: undefined, hasEnded: false, warnings: [] });
    expect(received.messages).toHaveLength(3);
  });

  it('describes channels as they are advertised, definitions as bytes', async () => {
    const bridge = await openBridge([
      INFO,
      advertise(
        channel(1, '/ros', { metadata: { topic_type_hash: 'RIHS01_0' } }),
        channel(2, '/old', { schemaEncoding: undefined }),
        channel(3, '/binary', { encoding: 'protobuf', schemaEncoding: 'protobuf', schema: '3q2+7w==' }),
        channel(4, '/bare', { encoding: 'json', schemaName: '', schema: '', schemaEncoding: undefined }),
        channel(5, '/robot/tf_static'),
        channel(6, '/unknown', { schema: '' }),
      ),
    ]);
    const { received } = await record(bridge);
    await bridge.subscribed(1, 2, 3, 4, 5, 6);
    const [ros, old, binary, bare, latched, unknown] = [...received.channels.values()];
    const schema = { name: 'std_msgs/msg/String', encoding: 'ros2msg', data: Buffer.from('string data\n') };
    expect(ros).toMatchObject({ topic: '/ros', messageEncoding: 'cdr' });
    expect({ ...ros!.schema, data: Buffer.from(ros!.schema!.data) }).toEqual(schema);
    expect(ros!.metadata.get('topic_type_hash')).toBe('RIHS01_0');
    expect(old!.schema?.encoding).toBe('ros2msg');
    expect(Buffer.from(binary!.schema!.data).toString('hex')).toBe('deadbeef');
    expect(bare).toMatchObject({ messageEncoding: 'json', schema: undefined });
    expect([ros, latched].map((spec) => isLatched(spec!))).toEqual([false, true]);
    expect(unknown!.schema!.data.byteLength).toBe(0);
    expect(received.warningsOf('missing-definition')).toHaveLength(1);
  });

  it('reports a second type of a topic and a topic that is offered no more, and takes it up again', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { received } = await record(bridge);
    await bridge.subscribed(1);
    bridge.send(advertise(channel(2, '/a', { schemaName: 'std_msgs/msg/Other' })));
    await bridge.subscribed(1, 2);
    bridge.send({ op: 'unadvertise', channelIds: [1, 99] });
    bridge.send(advertise(channel(3, '/a')));
    await bridge.subscribed(1, 2, 3);
    bridge.message(3, 1n, 'again');
    await vi.waitFor(() => expect(received.messages).toHaveLength(1));
    expect(received.messages[0]!.channelKey).toBe(0);
    expect(received.channels.size).toBe(2);
    expect(received.offers).toEqual([
      [0, false],
      [0, true],
    ]);
    expect(received.warnings.map(({ kind, topic }) => [kind, topic])).toEqual([
      ['second-type', '/a'],
      ['publishers-gone', '/a'],
    ]);
  });

  it('connects again when the robot is back, with the same keys, and says so', async () => {
    const first = await openBridge([INFO, advertise(channel(1, '/a'), channel(2, '/b'))]);
    const { port } = first;
    const { received } = await record(first);
    await first.subscribed(1, 2);
    first.message(2, 1n, 'before');
    await vi.waitFor(() => expect(received.messages).toHaveLength(1));
    await first.close();
    await vi.waitFor(() => expect(received.warningsOf('connection')).toHaveLength(1));
    const second = await openBridge(
      [{ ...INFO, sessionId: 'two' }, advertise(channel(5, '/b'), channel(6, '/a'))],
      { port },
    );
    await vi.waitFor(() => expect(second.subscriptions.size).toBe(2), { timeout: 5000 });
    second.message(5, 2n, 'after');
    await vi.waitFor(() => expect(received.texts).toEqual(['/b before', '/b after']));
    expect(received.channels.size).toBe(2);
    expect(received.warningsOf('connection')[1]).toMatch(/again after [\d.]+ s; messages .* missing/);
  });

  it('leaves it to the ledger to infer what an outage cost', async () => {
    const folder = await temporaryFolder();
    cleanup.push(() => folder[Symbol.asyncDispose]());
    const first = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { port } = first;
    const source = await open(first.url);
    const recorder = await Recorder.open(source, { contractFile, directory: folder.path, version: 'test' });
    await recorder.startTake({ task: 'pick the block', operator: 'test' });
    const received = () => recorder.status().streams[0]!.received;
    await first.subscribed(1);
    first.message(1, 1n, 'before');
    await vi.waitFor(() => expect(received()).toBe(1));
    const lastTime = source.clock.now();
    await first.close();
    await delay(500);
    const second = await openBridge([INFO, advertise(channel(1, '/a'))], { port });
    await vi.waitFor(() => expect(second.subscriptions.size).toBe(1), { timeout: 5000 });
    const outageSecs = nanosToSecs(source.clock.now() - lastTime);
    second.message(1, 2n, 'after');
    await vi.waitFor(() => expect(received()).toBe(2));
    const { ledger } = await recorder.stopTake();
    await recorder.close();
    const gap = ledger.losses.find(({ cause }) => cause === 'gap');
    expect(gap?.topic).toBe('/a');
    expect(Math.abs(gap!.messages! - 100 * outageSecs)).toBeLessThan(20);
  });

  it('gives up a connection on which a server fell silent, and makes a new one', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { received } = await record(bridge, ['/a'], { silenceSecs: 0.3 });
    await bridge.subscribed(1);
    for (let i = 0; i < 30; i++) {
      bridge.message(1, BigInt(i), 'x');
      await delay(20);
    }
    await vi.waitFor(() => expect(bridge.connections).toHaveLength(2), { timeout: 20_000 });
    await bridge.subscribed(1);
    bridge.message(1, 31n, 'y');
    await vi.waitFor(() => expect(received.texts.at(-1)).toBe('/a y'));
    expect(received.warningsOf('connection')[0]).toContain('nothing came for');
  });

  it('leaves a connection alone that has only ever been quiet', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { received } = await record(bridge, ['/a'], { silenceSecs: 0.3 });
    await bridge.subscribed(1);
    for (let i = 0; i < 30; i++) bridge.message(1, BigInt(i), 'latched');
    await delay(1200);
    expect(bridge.connections).toHaveLength(1);
    expect(received.warnings).toEqual([]);
  });

  it('forgets ids, not keys, when the server begins a new session on the same connection', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { received } = await record(bridge);
    await bridge.subscribed(1);
    bridge.subscriptions.clear();
    bridge.send({ ...INFO, sessionId: 'two' });
    bridge.send(advertise(channel(1, '/b'), channel(2, '/a')));
    await bridge.subscribed(1, 2);
    bridge.message(1, 1n, 'one');
    bridge.message(2, 2n, 'two');
    await vi.waitFor(() => expect(received.texts).toEqual(['/b one', '/a two']));
    expect(received.channels.size).toBe(2);
  });

  it('passes on what the server complains of, the same words once', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { received } = await record(bridge);
    await bridge.subscribed(1);
    bridge.send({ op: 'status', level: 0, message: 'hello' });
    for (let i = 0; i < 3; i++) bridge.send({ op: 'status', level: 1, message: 'Send buffer limit reached' });
    bridge.message(1, 1n, 'last');
    await vi.waitFor(() => expect(received.messages).toHaveLength(1));
    expect(received.warnings).toHaveLength(1);
    expect(received.warnings[0]).toMatchObject({ kind: 'server-status' });
    expect(received.warnings[0]!.message).toMatch(/"Send buffer limit reached"\. It leaves out messages/);
  });
});

describe('openFoxgloveSource() on a server with a time of its own', () => {
  it("gives messages the server's time, which goes on when it is set back", async () => {
    const bridge = await openBridge([SIMULATION, advertise(channel(1, '/a'))]);
    const opening = open(bridge.url);
    await vi.waitFor(() => expect(bridge.connections).toHaveLength(1));
    bridge.time(50_000_000_000n);
    const source = await opening;
    expect(source.clock.now()).toBe(50_000_000_000n);
    expect(source.clock.anchor).toBeUndefined();
    const received = new Received();
    await source.start(received);
    await bridge.subscribed(1);
    bridge.message(1, 50_500_000_000n, 'a');
    bridge.time(60_000_000_000n);
    bridge.message(1, 59_900_000_000n, 'overtaken by the time');
    bridge.time(0n);
    bridge.message(1, 100n, 'after the reset');
    await vi.waitFor(() => expect(received.messages).toHaveLength(3));
    expect(received.messages.map(({ logTime, publishTime }) => [logTime, publishTime])).toEqual([
      [50_500_000_000n, 50_500_000_000n],
      [59_900_000_000n, 59_900_000_000n],
      [60_000_000_100n, 100n],
    ]);
    expect(source.clock.stepNanos!()).toBe(-60_000_000_000n);
  });

  it('says what to start when the server announces no time', async () => {
    const bridge = await openBridge([SIMULATION, advertise(channel(1, '/a'))]);
    await expect(open(bridge.url, { openingSecs: 0.2 })).rejects.toThrow(/announces no time\. Start the/);
  });
});

describe('openFoxgloveSource() on a hostile server', () => {
  it('records what makes sense and reports the rest', async () => {
    const bridge = await openBridge([
      { ...INFO, extra: { deep: [1] } },
      advertise({ id: -1 }, { ...channel(1, ''), topic: 5 }, channel(2, '/good'), 'nonsense' as never),
    ]);
    const { received } = await record(bridge);
    await bridge.subscribed(2);
    const garbage = [
      ...['not JSON', '[]', '{"op":5}', '{"op":"somethingNew"}', '{"op":"advertise","channels":7}'],
      ...['{"op":"unadvertise","channelIds":["x"]}', '{"op":"status"}', 'null', ''],
      ...[new Uint8Array(), new Uint8Array([1, 2, 3]), new Uint8Array([99, 1, 2]), new Uint8Array([2, 0])],
      Buffer.from('05000000000000000000000000000000ffffff7f', 'hex'), // a text longer than the frame
      Buffer.concat([Buffer.from([1, 77, 0, 0, 0]), Buffer.alloc(20)]), // a subscription never made
    ];
    for (const frame of garbage) bridge.send(frame);
    bridge.message(2, 1n, 'still here');
    await vi.waitFor(() => expect(received.texts).toEqual(['/good still here']));
    expect(received.failure).toBeUndefined();
    expect(received.warningsOf('not-understood').length).toBeGreaterThan(6);
    expect(received.warnings.every(({ kind }) => kind === 'not-understood')).toBe(true);
  });

  it('does not pass on more words than an operator can bear', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const { received } = await record(bridge);
    await bridge.subscribed(1);
    for (let i = 0; i < 500; i++) bridge.send({ op: 'status', level: 2, message: `trouble ${i}` });
    bridge.message(1, 1n, 'last');
    await vi.waitFor(() => expect(received.messages).toHaveLength(1));
    expect(received.warnings).toHaveLength(100);
  });

  it('breaks off with an error when the sink throws', async () => {
    const bridge = await openBridge([INFO, advertise(channel(1, '/a'))]);
    const source = await open(bridge.url);
    const received = new Received();
    received.message = () => {
      throw new RangeError('no such channel');
    };
    await source.start(received);
    await bridge.subscribed(1);
    bridge.message(1, 1n, 'x');
    await vi.waitFor(() => expect(received.failure).toBeInstanceOf(SourceError));
    expect(received.failure!.message).toContain('no such channel');
  });
});
