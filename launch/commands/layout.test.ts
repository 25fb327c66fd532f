import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../schemas/errors.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { layout } from './layout.ts';

const CONTRACT = join(import.meta.dirname, '../contracts/demo-arm.yaml');

async function layoutText(isLive: boolean): Promise<string> {
  await using folder = await temporaryFolder();
  const output = join(folder.path, 'layout.json');
  expect(await layout(CONTRACT, { isLive, output })).toBe(0);
  return await readFile(output, 'utf8');
}

describe('layout()', () => {
  test('of a contract shows streams, what the policy sees, and contacts', async () => {
    const text = await layoutText(false);
    for (const topic of [
      '/camera/front/image/compressed',
      '/kinescribe/policy/observation/images/front',
      '/kinescribe/policy/action.value[0]',
      '/kinescribe/contact/wrist/wrench',
      '/kinescribe/tactile/gripper/tactile',
      '/kinescribe/labels.active',
    ]) {
      expect(text).toContain(`"${topic}"`);
    }
  });

  test('of what is live shows streams and the session, and nothing that only an episode has', async () => {
    const text = await layoutText(true);
    expect(text).toContain('"/kinescribe/recording.state"');
    expect(text).toContain('"/kinescribe/streams"');
    expect(text).not.toContain('/kinescribe/policy');
  });

  test('of what is live refuses an episode', async () => {
    await expect(layout('some.mcap', { isLive: true })).rejects.toThrow(UsageError);
  });
});
