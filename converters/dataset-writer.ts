import type { Contract } from '../schemas/contract.ts';
import type { Frame } from './frame.ts';

/** What a writer knows of an episode before its first frame. */
export interface EpisodeHeader {
  /** Position in the dataset, from 0. */
  readonly index: number;
  readonly id: string;
  /** `sha256:` digest of the recording: the identity that every sample refers to. */
  readonly digest: string;
  readonly task: string;
  /** Name of its split; episodes of one split follow each other. Absent where the contract asks for none. */
  readonly split?: string;
}

/** What every writer of one conversion shares. */
export interface DatasetTarget {
  /** Folder to fill; exists, is empty and is renamed to its final name by the caller. */
  readonly directory: string;
  readonly contract: Contract;
  readonly contractDigest: string;
  /** Version of this program, for provenance. */
  readonly version: string;
  /** All tasks of all episodes, sorted; a task's place is its index. */
  readonly tasks: readonly string[];
}

/**
 * Writes one dataset format. Called in order: beginEpisode, its frames, endEpisode, the next episode, …,
 * finish. Several writers are fed by one reading and one decoding of the episodes; each call is awaited.
 */
export interface DatasetWriter {
  beginEpisode(episode: EpisodeHeader): Promise<void>;
  /** Frames come in order of their index; values and pixels may be kept, nobody changes them. */
  addFrame(frame: Frame): Promise<void>;
  endEpisode(): Promise<void>;
  /** Completes all files. @returns the number of samples that a training job will count. */
  finish(): Promise<number>;
  /** Releases processes and handles after a failure; the files may stay half written. */
  abort(): Promise<void>;
}

/** One file or folder per format exports one of these. */
export interface DatasetFormat {
  /** The name on the command line: `lerobot`, `webdataset`. */
  readonly name: string;
  open(target: DatasetTarget): Promise<DatasetWriter>;
  /**
   * Checks the invariants that the format's own loader relies on.
   *
   * @returns one sentence per fault, naming file and row; empty when sound.
   */
  verify(directory: string): Promise<readonly string[]>;
}
