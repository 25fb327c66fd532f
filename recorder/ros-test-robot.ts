import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { MissingFeatureError } from '../schemas/errors.ts';
import { assertBindingLoads, readRosEnvironment } from './ros-environment.ts';
import type { TestStream } from './ros-test-streams.ts';

/** Why tests against a ROS 2 graph cannot run here; undefined where they can. */
export function missingRos(): string | undefined {
  try {
    assertBindingLoads(readRosEnvironment());
    return undefined;
  } catch (error) {
    if (error instanceof MissingFeatureError) return error.message;
    throw error;
  }
}

/** Keeps a test's graph to this machine and to a domain that no robot and no other test file has. */
export function useOwnGraph(): void {
  process.env.ROS_DOMAIN_ID = String(60 + (Number(process.env.VITEST_POOL_ID ?? 0) % 40));
  if (process.env.ROS_DISTRO === 'humble') process.env.ROS_LOCALHOST_ONLY = '1';
  else process.env.ROS_AUTOMATIC_DISCOVERY_RANGE = 'LOCALHOST';
}

/** A robot for tests: a process of its own with one node and its publishers. */
export class Robot {
  readonly #child: ChildProcess;

  /** Resolves when its publishers are in the graph. */
  static async open(name: string, ...streams: readonly TestStream[]): Promise<Robot> {
    const file = join(import.meta.dirname, 'ros-test-publisher.ts');
    const robot = new Robot(fork(file, [name, JSON.stringify(streams)], { stdio: 'inherit' }));
    await robot.#heard();
    return robot;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Publishes all messages of all streams at their rates. */
  async publish(): Promise<void> {
    this.#child.send('go');
    await this.#heard();
  }

  /** Leaves the graph properly. */
  async leave(): Promise<void> {
    this.#child.send('stop');
    await once(this.#child, 'exit');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  /** Resolves at the next word of the process; rejects when it ends instead. */
  async #heard(): Promise<void> {
    const ending = new AbortController();
    const exit = once(this.#child, 'exit', ending).then(([code]) => {
      throw new TypeError(`The publishing process ended with ${code}.`);
    });
    try {
      await Promise.race([once(this.#child, 'message', ending), exit]);
    } finally {
      exit.catch(() => {}); // it loses the race by being aborted
      ending.abort();
    }
  }
}
