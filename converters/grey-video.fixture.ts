import { Buffer } from 'node:buffer';
import type { VideoCodec } from './video-packets.ts';

/**
 * Twelve pictures of 64 × 48, a keyframe every five:
 * ffmpeg -f lavfi -i "nullsrc=s=64x48:r=10:d=1.2,format=gray,geq=lum='20*N+16'" -pix_fmt yuv420p -bf 0 -g 5 -qp 20
 * with -c:v libx264 -x264-params aud=1:scenecut=0 and with -c:v libx265 -x265-params aud=1:info=0.
 */
const GREY: Readonly<Record<VideoCodec, string>> = {
  h264: [
    'AAAAAQkQAAAAAWdkAAqstCPYCIAAAAMAgAAACgeJE1AAAAABaO8G8sAAAAEGBf//K9xF6b3m2Ui3lizYINkj7u94MjY0IC0gY29y',
    'ZSAxNjQgcjMwOTUgYmFlZTQwMCAtIEguMjY0L01QRUctNCBBVkMgY29kZWMgLSBDb3B5bGVmdCAyMDAzLTIwMjIgLSBodHRwOi8v',
    'd3d3LnZpZGVvbGFuLm9yZy94MjY0Lmh0bWwgLSBvcHRpb25zOiBjYWJhYz0xIHJlZj0xIGRlYmxvY2s9MTowOjAgYW5hbHlzZT0w',
    'eDM6MHgxMTMgbWU9aGV4IHN1Ym1lPTIgcHN5PTEgcHN5X3JkPTEuMDA6MC4wMCBtaXhlZF9yZWY9MCBtZV9yYW5nZT0xNiBjaHJv',
    'bWFfbWU9MSB0cmVsbGlzPTAgOHg4ZGN0PTEgY3FtPTAgZGVhZHpvbmU9MjEsMTEgZmFzdF9wc2tpcD0xIGNocm9tYV9xcF9vZmZz',
    'ZXQ9MCB0aHJlYWRzPTEgbG9va2FoZWFkX3RocmVhZHM9MSBzbGljZWRfdGhyZWFkcz0wIG5yPTAgZGVjaW1hdGU9MSBpbnRlcmxh',
    'Y2VkPTAgYmx1cmF5X2NvbXBhdD0wIGNvbnN0cmFpbmVkX2ludHJhPTAgYmZyYW1lcz0wIHdlaWdodHA9MSBrZXlpbnQ9NSBrZXlp',
    'bnRfbWluPTEgc2NlbmVjdXQ9MCBpbnRyYV9yZWZyZXNoPTAgcmM9Y3FwIG1idHJlZT0wIHFwPTIwIGlwX3JhdGlvPTEuNDAgYXE9',
    'MACAAAABZYiEP7HAaz754DW3B/3zf8c2YyXYXxXcR8OnVsEAAAABCTAAAAFBmidAiP/kdaAAAAABCTAAAAFBmkdAiP/kdaEAAAAB',
    'CTAAAAFBmmdAiP/kdaAAAAABCTAAAAFBmodAiP/kdaEAAAABCRAAAAABZ2QACqy0I9gIgAAAAwCAAAAKB4kTUAAAAAFo7wbywAAA',
    'AWWIgg//scBrPvnhK/983/HNmMl2F8V3EfDp1bEAAAABCTAAAAFBmidAiP/kdaEAAAABCTAAAAFBmkdAiP/kdaEAAAABCTAAAAFB',
    'mmdAiP/kdaAAAAABCTAAAAFBmodAiP/kdaAAAAABCRAAAAABZ2QACqy0I9gIgAAAAwCAAAAKB4kTUAAAAAFo7wbywAAAAWWIhD+x',
    'wGs++eA1V6f3zf8c2YyXYXxXcR8OnVsAAAABCTAAAAFBmidAiP/kdaA=',
  ].join(''),
  h265: [
    'AAAAAUYBEAAAAAFAAQwB//8BYAAAAwCQAAADAAADAB66AkAAAAABQgEBAWAAAAMAkAAAAwAAAwAeoCCDFlurkyvAWgIAAAMAAgAA',
    'AwAUEAAAAAFEAcFxoRIAAAEoAa8J4EAEP/8htluRN2D3VgAAAAFGATAAAAECAdAJfikmCYg37vvEgAAAAAFGATAAAAECAdAR/9Sk',
    'hgoINe77xIAAAAABRgEwAAABAgHQGf/UpIYKiDXu+8SAAAAAAUYBMAAAAQIB0CH/1KSGCwg37vvEgAAAAAFGARAAAAABQAEMAf//',
    'AWAAAAMAkAAAAwAAAwAeugJAAAAAAUIBAQFgAAADAJAAAAMAAAMAHqAggxZbq5MrwFoCAAADAAIAAAMAFBAAAAABRAHBcaESAAAB',
    'KgGsFPXCaEAEP/iuFuRN2D3VgAAAAAFGATAAAAECAdAxfikmDAg37vvEgAAAAAFGATAAAAECAdA5/9SkhgyINe77xIAAAAABRgEw',
    'AAABAgHQQf/UpIYNCDXu+8SAAAAAAUYBMAAAAQIB0En/1KSEOINw7vvEgAAAAAFGARAAAAABQAEMAf//AWAAAAMAkAAAAwAAAwAe',
    'ugJAAAAAAUIBAQFgAAADAJAAAAMAAAMAHqAggxZbq5MrwFoCAAADAAIAAAMAFBAAAAABRAHBcaESAAABKgGsKPXCaEAELx70n9uR',
    'N2D3VgAAAAFGATAAAAECAdBZfikkIINw7vvEgA==',
  ].join(''),
};

/** The pictures as messages have them: each behind an access unit delimiter. */
export function greyPackets(codec: VideoCodec): readonly Uint8Array[] {
  const stream = Buffer.from(GREY[codec], 'base64');
  const delimiter = codec === 'h264' ? Buffer.of(0, 0, 0, 1, 9) : Buffer.of(0, 0, 0, 1, 0x46);
  const packets: Uint8Array[] = [];
  for (let start = 0; start < stream.length; ) {
    const next = stream.indexOf(delimiter, start + 1);
    const end = next < 0 ? stream.length : next;
    packets.push(stream.subarray(start, end));
    start = end;
  }
  return packets;
}

/** The level of all pixels of a picture. */
export function greyLevel(picture: number): number {
  return 16 + 20 * picture;
}
