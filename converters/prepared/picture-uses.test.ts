import { expect, it } from 'vitest';
import { PictureUses } from './picture-uses.ts';

const [first, second] = [new Uint8Array(1), new Uint8Array(2)];
const ready = { done: Promise.resolve() };
const settled = () => new Promise(setImmediate);

it('add() gives a picture back once another is shown', async () => {
  const unused: Uint8Array[] = [];
  const uses = new PictureUses((pixels) => unused.push(pixels));
  uses.add(first, [ready]);
  uses.add(first, [ready]);
  await settled();
  expect(unused).toEqual([]);
  uses.add(second, [ready]);
  await settled();
  expect(unused).toEqual([first]);
});

it('add() keeps a picture for a track that took it at its first frame and still works on it', async () => {
  const unused: Uint8Array[] = [];
  const uses = new PictureUses((pixels) => unused.push(pixels));
  const slow = Promise.withResolvers<void>();
  uses.add(first, [ready, { done: slow.promise }]);
  uses.add(first, [ready, ready]);
  uses.add(second, [ready, ready]);
  await settled();
  expect(unused).toEqual([]);
  slow.resolve();
  await settled();
  expect(unused).toEqual([first]);
});

it('add() never gives a picture back of which a track failed', async () => {
  const unused: Uint8Array[] = [];
  const uses = new PictureUses((pixels) => unused.push(pixels));
  uses.add(first, [{ done: Promise.reject(new RangeError('no room')) }]);
  uses.add(second, [ready]);
  await settled();
  expect(unused).toEqual([]);
});
