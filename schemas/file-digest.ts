import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** `sha256:` and the digest of a file's bytes; of an episode, its identity. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(block as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
