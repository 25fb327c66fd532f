import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReceiveBufferWatch } from './ros-receive-buffer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snmp-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** As Linux 6.1 writes /proc/net/snmp. */
const counters = (receiveErrors: number) => `Tcp: RtoAlgorithm RtoMin
Tcp: 1 200
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
Udp: 52348 12 7 52360 ${receiveErrors} 3 0 0 0
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
UdpLite: 0 0 0 0 99 0 0 0 0
`;

describe('ReceiveBufferWatch', () => {
  it('look() counts what was dropped since the previous call, not before the first', async () => {
    const file = join(folder, 'snmp');
    const watch = new ReceiveBufferWatch(file);
    const drops = [];
    for (const errors of [1000, 1000, 1042, 1042, 1043]) {
      await writeFile(file, counters(errors));
      drops.push(await watch.look());
    }
    expect(drops).toEqual([
      undefined,
      undefined,
      { count: 42, message: expect.stringMatching(/dropped 42 datagrams.*sysctl -w net\.core\.rmem_max/) },
      undefined,
      { count: 1, message: expect.stringMatching(/dropped 1 datagrams(?!.*sysctl)/) },
    ]);
  });

  it('look() is silent where the kernel has no such file', async () => {
    const watch = new ReceiveBufferWatch(join(folder, 'absent'));
    expect(await watch.look()).toBeUndefined();
  });
});
