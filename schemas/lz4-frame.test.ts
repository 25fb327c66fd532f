import wasmLz4 from '@foxglove/wasm-lz4';
import { expect, it } from 'vitest';
import { lz4Frame, unlz4Frame } from './lz4-frame.ts';

const MIB = 2 ** 20;
const text = (bytes: number) => Buffer.alloc(bytes, 'the wrist camera sees the red block ');
function noise(bytes: number): Uint8Array {
  const made = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(made.subarray(at, at + 65_536));
  return made;
}

// [what, bytes, share that they shrink to at most]
it.each([
  ['nothing', new Uint8Array(), 11],
  ['a byte', Uint8Array.of(7), 16],
  ['a chunk', text(MIB), 0.01],
  ['more than a block', text(9 * MIB + 5), 0.01],
  ['what does not become smaller', noise(5 * MIB), 1.001],
  ['some of both', Buffer.concat([noise(4 * MIB), text(4 * MIB)]), 0.51],
] as const)('lz4Frame() of %s is read by the reference library', async (_, bytes, share) => {
  await wasmLz4.isLoaded;
  const frame = Buffer.concat(await lz4Frame(bytes));
  expect(frame.byteLength).toBeLessThanOrEqual(Math.max(1, bytes.byteLength) * share);
  const read = [await unlz4Frame(frame), wasmLz4(frame, bytes.byteLength)];
  expect(read.map((each) => Buffer.compare(each, bytes))).toEqual([0, 0]);
});
