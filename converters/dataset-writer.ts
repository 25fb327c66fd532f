import type { Contract } from '../schemas/contract.ts';
import type { PreparedAudio } from './audio/prepared-audio.ts';
import type { CardOptions } from './dataset-card.ts';
import type { EpisodeReading } from './dataset-reading.ts';
import type { EpisodeNumbers } from './episode-numbers.ts';
import type { PictureForm } from './prepared/picture-form.ts';
import type { PreparedEpisode } from './prepared/prepared-episode.ts';

/** What a dataset says of an episode. */
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

/** All that a writer needs of an episode, made once for all formats. */
export interface EpisodeToWrite {
  readonly header: EpisodeHeader;
  /** At least one frame. */
  readonly numbers: EpisodeNumbers;
  /** In the forms that the format asked for. */
  readonly pictures: Pick<PreparedEpisode, 'picture' | 'pixels' | 'video' | 'videoFacts' | 'levels'>;
  /** By microphone; every dataset gets it as WAV files beside what the writer writes. @default none */
  readonly audio?: readonly PreparedAudio[];
}

/**
 * Writes one dataset format. Every call is awaited before the next; nothing that it is given changes. The same
 * calls give the same bytes.
 */
export interface DatasetWriter {
  addEpisode(episode: EpisodeToWrite): Promise<void>;
  /** Completes all files. @returns the number of samples that a training job will count. */
  finish(): Promise<number>;
  /** Releases processes and handles after a failure; the files may stay half written. */
  abort(): Promise<void>;
}

/** One file or folder per format exports one of these. */
export interface DatasetFormat {
  /** The name on the command line: `lerobot`, `webdataset`. */
  readonly name: string;
  /** For the dataset's card: how a training job opens it, and tags of the Hugging Face Hub. */
  readonly card: CardOptions;
  /**
   * Whether its pictures are video, which may be copied from recordings; "led" where a file may begin with pictures
   * before those of the episode. @default no video
   */
  readonly storesVideo?: 'led' | 'exact';
  /** The form in which its writer takes pictures. */
  pictureForm(): Promise<PictureForm>;
  open(target: DatasetTarget): Promise<DatasetWriter>;
  /**
   * Checks the invariants that the format's own loader relies on.
   *
   * @returns one sentence per fault, naming file and row; empty when sound.
   */
  verify(directory: string): Promise<readonly string[]>;
  /**
   * Reads a dataset back without its writer, to be held against the recordings.
   *
   * @throws {DatasetError} when a file cannot be read.
   */
  read(directory: string, contract: Contract): AsyncGenerator<EpisodeReading>;
}
