import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDefinition } from '../../recorder/definitions.ts';
import { assertBindingLoads, readRosEnvironment } from '../../recorder/ros-environment.ts';
import { receiveBufferRemedy } from '../../recorder/ros-receive-buffer.ts';
import type { Contract } from '../../schemas/contract.ts';
import { MissingFeatureError } from '../../schemas/errors.ts';
import type { ExpectedRate } from './expected-rate.ts';
import type { StartCheck } from './start-check.ts';

/** Whether ROS 2 can be recorded from. */
export function checkRos(env: NodeJS.ProcessEnv = process.env): StartCheck {
  const name = 'ROS 2';
  try {
    const environment = readRosEnvironment(env);
    assertBindingLoads(environment);
    const middleware = env.RMW_IMPLEMENTATION ?? 'its default middleware';
    return { name, verdict: 'well', found: `${environment.distro} with ${middleware}, rclnodejs loads` };
  } catch (error) {
    if (!(error instanceof MissingFeatureError)) throw error;
    const [found = '', ...remedy] = error.message.split(/(?<=\.) (?=Run )/);
    return { name, verdict: 'fault', found, ...(remedy.length > 0 && { remedy: remedy.join(' ') }) };
  }
}

/** Whether the contract's message types are installed: what is not cannot be recorded at all. */
export async function checkTypes(
  { streams }: Contract,
  env: NodeJS.ProcessEnv = process.env,
): Promise<StartCheck> {
  const name = 'message types';
  const { distro, prefixes } = readRosEnvironment(env);
  const types = [...new Set(Object.values(streams).map(({ type }) => type))];
  const found = await Promise.all(types.map((type) => loadDefinition(type, prefixes)));
  const missing = types.filter((_, i) => !found[i]);
  if (missing.length === 0) return { name, verdict: 'well', found: `all ${types.length} are installed` };
  const packages = [...new Set(missing.map((type) => type.split('/')[0]!))];
  const names = packages.map((each) => `ros-${distro}-${each.replaceAll('_', '-')}`).join(' ');
  return {
    name,
    verdict: 'fault',
    found: `not installed: ${missing.join(', ')}`,
    remedy: `"sudo apt install ${names}", or source the workspace that holds them`,
  };
}

/** With this, Cyclone DDS lost nothing of 166 MB/s; with the 208 kB of a stock kernel, half. */
const GOOD_BYTES = 4 * 2 ** 20;
/** What the remedy sets. */
const MOST_BYTES = 32 * 2 ** 20;
/** How long a busy machine leaves datagrams lying. */
const STALL_SECS = 0.2;
/** What Cyclone DDS asks for unless its configuration says otherwise. */
const CYCLONE_BYTES = 2 ** 20;

export interface ReceiveBufferOptions {
  /** What the robot sends; undefined without a contract. */
  readonly rate?: ExpectedRate | undefined;
  /** Where the kernel tells its limits. @default '/proc/sys/net/core' */
  readonly folder?: string;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

/** Whether the kernel holds a burst of camera pictures that come over DDS. */
export async function checkReceiveBuffer({
  rate,
  folder = '/proc/sys/net/core',
  env = process.env,
}: ReceiveBufferOptions = {}): Promise<StartCheck> {
  const name = 'UDP receive buffer';
  const isCyclone = env.RMW_IMPLEMENTATION === 'rmw_cyclonedds_cpp';
  // Cyclone DDS asks for a size up to the limit, other middlewares take the default.
  const setting = isCyclone ? 'rmem_max' : 'rmem_default';
  const text = await readFile(join(folder, setting), 'utf8').catch(() => undefined); // not on Linux, or hidden
  if (text === undefined) return { name, verdict: 'unknown', found: 'this system does not tell its limits' };
  const limit = Number(text);
  const isCapped =
    isCyclone &&
    /^(|.*<.*)$/s.test(env.CYCLONEDDS_URI ?? '') &&
    !/ReceiveBufferSize/.test(env.CYCLONEDDS_URI ?? '');
  const bytes = isCapped ? Math.min(limit, CYCLONE_BYTES) : limit;
  const wanted = Math.ceil(rate ? Math.min(MOST_BYTES, STALL_SECS * rate.bytesPerSec) : GOOD_BYTES);
  const found = `${bytes} bytes (net.core.${setting} is ${limit}${isCapped ? ', Cyclone DDS asks for 1 MB' : ''})`;
  if (bytes >= wanted) return { name, verdict: 'well', found };
  return {
    name,
    verdict: 'fault',
    found: `${found}, a burst needs ${wanted}: the kernel will drop datagrams in silence`,
    remedy: receiveBufferRemedy(env.RMW_IMPLEMENTATION),
  };
}
