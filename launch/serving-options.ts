import { readFile } from 'node:fs/promises';
import { UsageError } from '../schemas/errors.ts';
import type { ReplayServerOptions } from '../viewer/server.ts';
import type { CommandOptions } from './command.ts';

/** Where a server listens and who may talk to it. */
export type ServingOptions = Pick<ReplayServerOptions, 'host' | 'token' | 'origins' | 'tls'>;

/**
 * What `--host`, `--token`, `--origin`, `--tls-cert` and `--tls-key` say.
 *
 * @throws {UsageError} when only one half of a certificate is given, or it cannot be read.
 */
export async function servingOptions(options: CommandOptions): Promise<ServingOptions> {
  const { host, token, origin, tlsCert, tlsKey } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('TLS needs both halves of a certificate: give "--tls-cert" and "--tls-key".');
  }
  return {
    host: String(host),
    ...(typeof token === 'string' && { token }),
    ...(Array.isArray(origin) && { origins: origin.map(String) }),
    ...(tlsCert !== undefined && {
      tls: { cert: await readPem(String(tlsCert)), key: await readPem(String(tlsKey)) },
    }),
  };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`Cannot read "${file}" for TLS: ${(cause as Error).message}.`, { cause });
  }
}
