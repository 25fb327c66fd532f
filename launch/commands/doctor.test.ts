import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { doctor } from './doctor.ts';

let printed = '';
beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const CONTRACT = 'launch/contracts/demo-arm.yaml';

it('doctor() tells programs what it found, and ends with 3 only where something hurts', async () => {
  await using folder = await temporaryFolder();
  const exitCode = await doctor([], { source: 'foxglove', out: folder.path, json: true });
  const checks = JSON.parse(printed) as { name: string; verdict: string }[];
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Node.js', 'disk space', 'disk speed', 'clock', 'video encoder']),
  );
  expect(exitCode).toBe(checks.some(({ verdict }) => verdict === 'fault') ? 3 : 0);
});

it('doctor() ends with 3 where the robot of the contract does not answer', async () => {
  await using folder = await temporaryFolder();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve)); // nobody listens there any more
  const options = { source: 'foxglove', url: `ws://127.0.0.1:${port}`, out: folder.path, contract: CONTRACT };
  expect(await doctor([], options)).toBe(3);
  expect(printed).toMatch(/^FAULT +streams +Cannot record from "ws:\/\/127\.0\.0\.1/m);
});

it('doctor() does not look for streams in a ROS 2 that is not there', async () => {
  await using folder = await temporaryFolder();
  vi.stubEnv('ROS_DISTRO', undefined);
  expect(await doctor([], { source: 'ros2', out: folder.path, contract: CONTRACT })).toBe(3);
  vi.unstubAllEnvs();
  expect(printed).toMatch(/^FAULT +ROS 2 /m);
  expect(printed).not.toMatch(/^\w+ +stream/m);
});
