import type { DatasetFormat } from '../converters/dataset-writer.ts';
import { act } from '../converters/hdf5/act.ts';
import { robomimic } from '../converters/hdf5/robomimic.ts';
import { lerobot } from '../converters/lerobot/lerobot.ts';
import { lerobotV21 } from '../converters/lerobot-v21/lerobot-v21.ts';
import { rlds } from '../converters/rlds/rlds.ts';
import { vlaFoundry } from '../converters/vla-foundry/vla-foundry.ts';
import { webdataset } from '../converters/webdataset/webdataset.ts';
import { zarr, zarrZip } from '../converters/zarr/zarr.ts';
import { UsageError } from '../schemas/errors.ts';

/** Every dataset format, by the name on the command line. */
export const FORMATS: ReadonlyMap<string, DatasetFormat> = new Map(
  [lerobot, lerobotV21, rlds, zarr, zarrZip, robomimic, act, webdataset, vlaFoundry].map((format) => [
    format.name,
    format,
  ]),
);

/** @throws {UsageError} when a name of the comma-separated list is no format. */
export function formatsNamed(list: string): readonly DatasetFormat[] {
  const names = new Set(list.split(',').map((name) => name.trim()));
  return [...names].map((name) => {
    const format = FORMATS.get(name);
    if (!format) throw new UsageError(`Format "${name}" is not one of ${[...FORMATS.keys()].join(', ')}.`);
    return format;
  });
}
