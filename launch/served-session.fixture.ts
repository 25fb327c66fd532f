import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Collection } from '../recorder/collection.ts';
import { Recorder } from '../recorder/recorder.ts';
import { RecordingSession } from '../recorder/recording-session.ts';
import { ScriptedSource } from '../recorder/scripted-source.ts';
import { parseContract } from '../schemas/contract-file.ts';
import { parsePlan } from '../schemas/plan-file.ts';
import type { RecordingControl } from '../schemas/recording-control.ts';
import { secsToNanos } from '../schemas/time.ts';
import { type ReplayServer, type ReplayServerOptions, startReplayServer } from '../viewer/server.ts';
import { EpisodeShelf } from '../viewer/shelf.ts';

const CONTRACT = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100, maxGapSecs: 0.5 }
  force: { topic: /force, role: interaction, type: test_msgs/msg/Force, rateHz: 50, maxGapSecs: 0.5 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block, push the block], operators: [op-1, op-2], scenes: [left, right], objects: [blue block, red block] }
`,
  'desk.yaml',
);
const PERIOD_NANOS = secsToNanos(0.01);

export interface ServedSessionOptions extends ReplayServerOptions {
  /** Space that the recorder keeps free, bytes. @default the recorder's own */
  readonly reserveBytes?: number;
  /** The library's `plan.yaml`. @default none */
  readonly plan?: string;
  /** Stands between the server and the session. @default nothing */
  readonly watched?: (session: RecordingControl) => RecordingControl;
}

/** A recording session on a robot of two streams that a test drives by hand, served on a free port. */
export class ServedSession implements AsyncDisposable {
  readonly directory: string;
  readonly source: ScriptedSource;
  readonly recorder: Recorder;
  readonly session: RecordingSession;
  server: ReplayServer;

  static async open(options: ServedSessionOptions = {}): Promise<ServedSession> {
    const { reserveBytes, plan, watched = (session) => session, ...server } = options;
    const directory = await mkdtemp(join(tmpdir(), 'kinescribe-served-'));
    const topics = Object.values(CONTRACT.contract.streams).map(({ topic }) => topic);
    const source = new ScriptedSource(
      topics.map((topic) => ({ topic, messageEncoding: 'json', schema: undefined, metadata: new Map() })),
      secsToNanos(1_700_000_000),
    );
    const recorder = await Recorder.open(source, {
      contractFile: CONTRACT,
      directory,
      version: 'test',
      ...(reserveBytes !== undefined && { reserveBytes }),
    });
    const { contract } = CONTRACT;
    const session = new RecordingSession(recorder, {
      ...{ contract, task: 'pick the block', operator: 'op-1', session: 'session-1' },
      ...(plan && { collection: await Collection.open(directory, parsePlan(plan, 'plan.yaml', contract)) }),
    });
    const shelf = await EpisodeShelf.of([directory]);
    const started = await startReplayServer(shelf, {
      port: 0,
      live: recorder.live,
      ...server,
      recording: watched(session),
    });
    return new ServedSession({ directory, source, recorder, session, server: started });
  }

  private constructor(
    parts: Pick<ServedSession, 'directory' | 'source' | 'recorder' | 'session' | 'server'>,
  ) {
    this.directory = parts.directory;
    this.source = parts.source;
    this.recorder = parts.recorder;
    this.session = parts.session;
    this.server = parts.server;
  }

  /** Stops the server and starts it again on its port. */
  async restartServer(whileAway: () => Promise<void>): Promise<void> {
    const { port } = this.server.address;
    await this.server.close();
    await whileAway();
    this.server = await startReplayServer(await EpisodeShelf.of([this.directory]), {
      port,
      recording: this.session,
    });
  }

  /** The robot sends for some seconds of its own clock. */
  send(secs: number, { isForceDead = false } = {}): void {
    for (let i = 0; i < Math.round(secs * 100); i++) {
      const logTime = this.source.clock.time + PERIOD_NANOS;
      this.source.send({ channelKey: 0, logTime, data: new TextEncoder().encode(`{"i":${i}}`) });
      if (!isForceDead && i % 2 === 0) this.source.send({ channelKey: 1, logTime, data: Uint8Array.of(i) });
    }
  }

  get(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.server.address.port}${path}`, init);
  }

  post(command: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.get('/api/recording', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof command === 'string' ? command : JSON.stringify(command),
    });
  }

  async episodes(): Promise<readonly string[]> {
    return (await readdir(this.directory)).filter((name) => name.endsWith('.mcap'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.session.end();
    await this.recorder.close();
    await rm(this.directory, { recursive: true });
  }
}
