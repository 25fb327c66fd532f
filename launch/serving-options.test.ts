import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../schemas/errors.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { servingOptions } from './serving-options.ts';

describe('servingOptions()', () => {
  test('passes on what was said and nothing else', async () => {
    expect(await servingOptions({ host: '127.0.0.1' })).toEqual({ host: '127.0.0.1' });
    expect(await servingOptions({ host: '::', token: 'secret', origin: ['https://a.example'] })).toEqual({
      ...{ host: '::', token: 'secret', origins: ['https://a.example'] },
    });
  });

  test('reads both halves of a certificate', async () => {
    await using folder = await temporaryFolder();
    const [tlsCert, tlsKey] = ['cert.pem', 'key.pem'].map((name) => join(folder.path, name)) as [
      string,
      string,
    ];
    await writeFile(tlsCert, 'CERT');
    await writeFile(tlsKey, 'KEY');
    const { tls } = await servingOptions({ host: '::', tlsCert, tlsKey });
    expect(tls).toEqual({ cert: 'CERT', key: 'KEY' });
  });

  test.each<[string, Record<string, string>, string]>([
    ['half a certificate', { tlsCert: 'cert.pem' }, 'both halves'],
    ['a file that is not there', { tlsCert: '/nowhere/c.pem', tlsKey: '/nowhere/k.pem' }, '/nowhere/c.pem'],
  ])('refuses %s', async (_, options, why) => {
    const refused = servingOptions({ host: '::', ...options });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(why);
  });
});
