import { z } from 'zod';

/** The one door to zod: every schema of ours is built from here. */
export { z };

/** Nanoseconds as a decimal string on disk, because JSON numbers lose them; bigint in memory. */
export const nanosText = z.codec(z.string().regex(/^-?\d+$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

/** `sha256:` and 64 hexadecimal digits. */
export const digestText = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Zero or more of something. */
export const countNumber = z.int().nonnegative();
