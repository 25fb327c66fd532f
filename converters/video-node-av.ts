import { execFile } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { VideoBackend } from './video-encoder.ts';
import type { VideoCodec } from './video-packets.ts';

/** The program that holds the library: run as it stands from a clone, compiled from a package. */
const PROGRAM = fileURLToPath(new URL(`./video-node-av-process${extname(import.meta.url)}`, import.meta.url));

/** The process that decodes video; undefined where `node-av` is not installed. */
export async function nodeAvDecoder(codec: VideoCodec): Promise<readonly [string, ...string[]] | undefined> {
  return (await nodeAvBackend()) && [process.execPath, PROGRAM, 'decode', codec];
}

/** The optional package `node-av`, in a process of its own; undefined where it is not installed. */
export async function nodeAvBackend(): Promise<VideoBackend | undefined> {
  try {
    await promisify(execFile)(process.execPath, [PROGRAM]);
  } catch {
    // Not installed, or its binary does not load here: there is no such backend.
    return undefined;
  }
  return NODE_AV;
}

/** What {@link nodeAvBackend} finds. */
export const NODE_AV: VideoBackend = {
  name: 'node-av',
  encoder: 'libsvtav1',
  command: (file, settings) => [process.execPath, PROGRAM, file, JSON.stringify(settings)],
};
