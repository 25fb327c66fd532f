import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** MCAP metadata record that says which process is writing an unfinished episode; its first record. */
export const OWNER_RECORD = 'kinescribe.owner';

/** Names this process so that another one, even after a crash or a reboot, can tell whether it lives. */
export async function ownerFields(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['machine', machineName()],
    ['boot', await bootId()],
    ['pid', String(process.pid)],
    ['started', await startOf(process.pid)],
  ]);
}

/**
 * Whether the process that wrote these fields may still be writing. A process of another machine, which
 * shares the folder over the network, counts as living: nobody here can tell.
 */
export async function isOwnerAlive(fields: ReadonlyMap<string, string>): Promise<boolean> {
  if (fields.get('machine') !== machineName()) return true;
  if (fields.get('boot') !== (await bootId())) return false;
  const pid = Number(fields.get('pid'));
  return exists(pid) && fields.get('started') === (await startOf(pid));
}

/** A digest, because recordings are published and names of machines are nobody's business. */
function machineName(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 16);
}

/** Empty where the system does not tell (only Linux does). */
async function bootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (id) => id.trim(),
    () => '',
  );
}

/** Start of a process in clock ticks since boot, as a pid alone is used again; empty where unknown. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces: count the fields behind it. proc(5): starttime is field 22.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function exists(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives and belongs to somebody else
  }
}
