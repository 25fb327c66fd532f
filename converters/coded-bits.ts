/** Bits of a NAL unit, most significant first, as H.264 and H.265 describe their headers (ITU-T H.264, 7.2 and 9.1). */
export class CodedBits {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param unit with its emulation prevention bytes. @param headerBytes of the unit, which are passed over. */
  constructor(unit: Uint8Array, headerBytes: number) {
    this.#bytes = withoutEmulation(unit.subarray(headerBytes, headerBytes + MAX_HEADER));
  }

  /** @throws {RangeError} past the end. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.#bit();
    return value;
  }

  flag(): boolean {
    return this.#bit() === 1;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** ue(v): an unsigned number in Exponential-Golomb code. */
  unsigned(): number {
    let zeros = 0;
    while (this.#bit() === 0) {
      if (++zeros > 32) throw new RangeError('a number in the header of the video has more than 32 bits');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v): the same with a sign. */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw new RangeError('a header of the video is cut off');
    return (byte >> (7 - (this.#at++ & 7))) & 1;
  }
}

/** More than any parameter set or the part of a slice that is read; a slice may have a megabyte. */
const MAX_HEADER = 4096;

/** The payload: of every 0, 0, 3 the 3 is no part of it. */
function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    payload[length++] = byte;
  }
  return payload.subarray(0, length);
}

/** The NAL units of a message in Annex B, without start codes and the zeros that may follow a unit. */
export function nalUnits(data: Uint8Array): readonly Uint8Array[] {
  const units: Uint8Array[] = [];
  let start = -1;
  const endAt = (end: number) => {
    if (start < 0) return;
    let last = end;
    while (last > start && data[last - 1] === 0) last--;
    if (last > start) units.push(data.subarray(start, last));
  };
  for (let i = data.indexOf(1, 2); i >= 0; i = data.indexOf(1, i + 1)) {
    if (data[i - 1] !== 0 || data[i - 2] !== 0) continue;
    endAt(i - 2);
    start = i + 1;
  }
  endAt(data.length);
  return units;
}
