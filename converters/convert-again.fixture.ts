/** A program: converts until it is killed or done. Arguments: folder of recordings, folder of datasets, contract, workers, how. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readContract } from '../schemas/contract-file.ts';
import { convertEpisodes } from './convert.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { webdataset } from './webdataset/webdataset.ts';
import { zarrZip } from './zarr/zarr.ts';

const [recordings, directory, contract, workers, how] = process.argv.slice(2);
if (!recordings || !directory || !contract) throw new TypeError('arguments are missing');
const names = (await readdir(recordings)).filter((name) => name.endsWith('.mcap')).sort();
await convertEpisodes(
  names.map((name) => join(recordings, name)),
  {
    contract: await readContract(contract),
    formats: [lerobot, webdataset, zarrZip],
    directory,
    version: '0.0.0',
    workers: Number(workers),
    resume: how === 'resume',
    append: how === 'append',
  },
);
