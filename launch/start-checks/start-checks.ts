import type { Contract } from '../../schemas/contract.ts';
import { type ExpectedRate, expectedRate } from './expected-rate.ts';
import { checkClock, checkNode, checkVideoEncoder } from './machine-checks.ts';
import { checkReceiveBuffer, checkRos, checkTypes } from './ros-checks.ts';
import type { StartCheck } from './start-check.ts';
import { checkLeftovers, checkSpace, checkWriteSpeed } from './storage-checks.ts';

export interface StartCheckOptions {
  /** The library; need not be there yet. */
  readonly directory: string;
  /** `ros2`, `foxglove`, `demo`. */
  readonly source: string;
  readonly contract?: Contract | undefined;
}

/** What decides whether recording will go well on this machine; takes a second or two. */
export async function recordingChecks(options: StartCheckOptions): Promise<readonly StartCheck[]> {
  const { directory, source, contract } = options;
  const rate = contract && (await expectedRate(contract, directory));
  const storage = { directory, rate, maxDurationSecs: contract?.episode.maxDurationSecs };
  return [
    ...(source === 'ros2' ? await rosChecks(contract, rate) : []),
    await checkSpace(storage),
    await checkWriteSpeed(storage),
    await checkLeftovers(storage),
    await checkClock(),
  ];
}

async function rosChecks(
  contract: Contract | undefined,
  rate: ExpectedRate | undefined,
): Promise<readonly StartCheck[]> {
  const ros = checkRos();
  const types = contract && ros.verdict === 'well' ? [await checkTypes(contract)] : [];
  return [ros, ...types, await checkReceiveBuffer({ rate })];
}

/** Everything that can be known of this machine without a robot. */
export async function machineChecks(options: StartCheckOptions): Promise<readonly StartCheck[]> {
  return [checkNode(), ...(await recordingChecks(options)), await checkVideoEncoder()];
}
