/** Frame headers of ITU T.81, table B.1: all of 0xC0 to 0xCF but DHT, JPG and DAC. */
const NO_FRAMES = new Set([0xc4, 0xc8, 0xcc]);

/** Size of a JPEG by its frame header; undefined for what is no JPEG or has no frame before its scan. */
export function jpegSize(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const word = (at: number) => (bytes[at]! << 8) | bytes[at + 1]!;
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + word(at + 2)) {
    const marker = bytes[at + 1]!;
    if (marker === 0xda) return undefined;
    if (marker < 0xc0 || marker > 0xcf || NO_FRAMES.has(marker)) continue;
    const [height, width] = [word(at + 5), word(at + 7)];
    return height > 0 && width > 0 ? { width, height } : undefined; // a height of 0 is told after the scan
  }
  return undefined;
}
