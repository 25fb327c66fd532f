import { execFileSync } from 'node:child_process';
import type { VideoCodec } from './video-packets.ts';

export interface CodedVideoOptions {
  readonly width: number;
  readonly height: number;
  readonly pictures: number;
  /** Pictures from one keyframe to the next. */
  readonly gop: number;
  /** Pictures that refer to later ones, in a row. @default 0 */
  readonly bFrames?: number;
}

const PROGRAM = new URL('./coded-video-program.fixture.ts', import.meta.url).pathname;

/** Pictures of a moving pattern with some noise, coded as a camera would: a packet of Annex B each. */
export function codedPackets(codec: VideoCodec, options: CodedVideoOptions): readonly Uint8Array[] {
  const output = execFileSync(process.execPath, [PROGRAM, codec, JSON.stringify(options)], {
    ...{ maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  const packets: Uint8Array[] = [];
  for (let at = 0; at < output.length; ) {
    const end = at + 4 + output.readUInt32LE(at);
    packets.push(output.subarray(at + 4, end));
    at = end;
  }
  return packets;
}
