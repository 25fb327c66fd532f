import type { DatasetFormat } from '../converters/dataset-writer.ts';
import { FORMATS } from './formats.ts';

/** Rows and video; windows in tar files; chunks of arrays. */
const ONE_OF_EACH_KIND: readonly string[] = ['lerobot', 'webdataset', 'zarr-zip'];

/** Formats that a test of seconds each goes through: one of each kind, all of them with EVERY_FORMAT=1. */
export const TESTED: readonly DatasetFormat[] = [...FORMATS.values()].filter(
  ({ name }) => process.env.EVERY_FORMAT === '1' || ONE_OF_EACH_KIND.includes(name),
);

/** Of some formats, those that are tested. */
export function tested<T extends string>(names: readonly T[]): readonly T[] {
  return names.filter((name) => TESTED.some((format) => format.name === name));
}
