import { readFile } from 'node:fs/promises';

/**
 * What lets the kernel hold 0.2 s of four cameras, by middleware: Cyclone DDS asks for 1 MB unless told
 * otherwise, Fast DDS takes the kernel's default.
 */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  [
    'rmw_cyclonedds_cpp',
    '"sudo sysctl -w net.core.rmem_max=33554432" and "export CYCLONEDDS_URI=' +
      '\'<CycloneDDS><Domain><Internal><SocketReceiveBufferSize min="32MB"/></Internal></Domain></CycloneDDS>\'"',
  ],
]);
const DEFAULT_REMEDY = '"sudo sysctl -w net.core.rmem_max=33554432 net.core.rmem_default=33554432"';

/** The commands that enlarge the receive buffer for the middleware in use. */
export function receiveBufferRemedy(middleware = process.env.RMW_IMPLEMENTATION): string {
  return REMEDIES.get(middleware ?? '') ?? DEFAULT_REMEDY;
}

/**
 * Watches for datagrams that the kernel dropped because a receive buffer was full: the first thing to
 * give way under several cameras, and silent in every middleware.
 */
export class ReceiveBufferWatch {
  readonly #file: string;
  /** The remedy is said once. */
  #isAdvised = false;
  #errors: number | undefined;

  /** @param file the kernel's UDP counters; absent outside Linux, where nothing is watched. */
  constructor(file = '/proc/net/snmp') {
    this.#file = file;
  }

  /** What was dropped since the call before, and the warning of it; undefined where nothing was. */
  async look(): Promise<{ readonly count: number; readonly message: string } | undefined> {
    const errors = await readReceiveErrors(this.#file);
    const before = this.#errors ?? errors;
    this.#errors = errors;
    if (errors === undefined || before === undefined || errors <= before) return undefined;
    const count = errors - before;
    const found = `The kernel dropped ${count} datagrams because a UDP receive buffer was full.`;
    if (this.#isAdvised) return { count, message: found };
    this.#isAdvised = true;
    const advice = `Messages are missing unless they were sent again. Run ${receiveBufferRemedy()} and start again.`;
    return { count, message: `${found} ${advice}` };
  }
}

/** Reads the counter RcvbufErrors: a line of names, below it a line of values. */
async function readReceiveErrors(file: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp: '))
    .map((line) => line.split(' '));
  const value = values?.[names?.indexOf('RcvbufErrors') ?? -1];
  return value === undefined ? undefined : Number(value);
}
