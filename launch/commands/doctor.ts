import { readContract } from '../../schemas/contract-file.ts';
import type { CommandOptions } from '../command.ts';
import { openSource } from '../sources.ts';
import { checkLines } from '../start-checks/start-check.ts';
import { machineChecks } from '../start-checks/start-checks.ts';
import { checkStreams } from '../start-checks/stream-check.ts';

/**
 * `kinescribe doctor`: what will hurt recording on this machine and, with a contract, on this robot; each
 * with the command that repairs it.
 *
 * @returns 0, or 3 when something will.
 */
export async function doctor(_args: readonly string[], options: CommandOptions): Promise<number> {
  const contract =
    options.contract === undefined ? undefined : (await readContract(String(options.contract))).contract;
  const { source, out } = options;
  const machine = await machineChecks({ directory: String(out), source: String(source), contract });
  const isReachable = machine.every(({ name, verdict }) => name !== 'ROS 2' || verdict === 'well');
  const streams = contract && isReachable ? await checkStreams(contract, () => openSource(options)) : [];
  const checks = [...machine, ...streams];
  const text = options.json === true ? JSON.stringify(checks, null, 2) : checkLines(checks).join('\n');
  process.stdout.write(`${text}\n`);
  return checks.some(({ verdict }) => verdict === 'fault') ? 3 : 0;
}
