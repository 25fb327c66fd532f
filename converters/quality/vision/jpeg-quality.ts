/** First row of the luminance table of ITU T.81, Annex K, in zigzag order: quality 50 of libjpeg. */
const STANDARD = [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40];

/**
 * libjpeg's quality, 1 to 100, by the picture's first quantisation table; undefined for what is no JPEG or
 * has its table elsewhere.
 */
export function jpegQuality(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  let at = 2;
  while (at + 4 < bytes.length && bytes[at] === 0xff) {
    const [marker, length] = [bytes[at + 1]!, (bytes[at + 2]! << 8) | bytes[at + 3]!];
    if (marker === 0xdb && bytes[at + 4]! >> 4 === 0 && at + 21 <= bytes.length) {
      return qualityOf(bytes.subarray(at + 5, at + 21));
    }
    if (marker === 0xda) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** libjpeg scales its table by 5000 / q per cent below quality 50 and by 200 − 2 q above. */
function qualityOf(table: Uint8Array): number {
  const percent = (100 * table.reduce((sum, value) => sum + value, 0)) / STANDARD.reduce((a, b) => a + b, 0);
  return Math.round(Math.min(100, Math.max(1, percent > 100 ? 5000 / percent : (200 - percent) / 2)));
}
