import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMp4 } from '../mp4-reader.ts';
import { type ParquetRow, readParquetRows } from '../parquet-reader.ts';
import { findVideoBackend } from '../video-backend.ts';
import type { VideoBackend } from '../video-encoder.ts';
import { dataColumns } from './data-columns.ts';
import { cellShape } from './layout.ts';
import { fixtureContract, writeDataset } from './lerobot.fixture.ts';
import { type ColumnRows, ParquetFile } from './parquet-file.ts';
import { verifyLerobot } from './verify-lerobot.ts';

const DATA = 'data/chunk-000/file-000.parquet';
const TOP = 'videos/observation.images.top/chunk-000/file-000.mp4';
const WRIST = 'videos/observation.images.wrist/chunk-000/file-000.mp4';

let root: string;
let backend: VideoBackend;
/** A sound dataset that no test changes. */
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'verify-lerobot-'));
  backend = await findVideoBackend();
  sound = await writeDataset(join(root, 'sound'), { backend: backend.name }, [9, 4, 13]);
});
afterAll(() => rm(root, { recursive: true }));

describe('verifyLerobot()', () => {
  const DAMAGES: readonly {
    name: string;
    plant(directory: string): Promise<void>;
    faults: readonly RegExp[];
  }[] = [
    {
      name: 'a missing data file',
      plant: (directory) => rm(join(directory, DATA)),
      faults: [
        /^data\/chunk-000\/file-000.parquet: is missing; episode 0 lies in it/,
        /^data: the files hold 0 rows, .* says 26/,
      ],
    },
    {
      name: 'two rows exchanged',
      plant: (directory) => changeRows(directory, (rows) => rows.splice(10, 2, rows[11]!, rows[10]!)),
      faults: [
        /file-000.parquet, row 10: index is 11, it must be 10/,
        /row 10: frame_index is 2, it must be 1/,
        /row 10: timestamp/,
      ],
    },
    {
      name: 'a wrong index',
      plant: (directory) => changeRows(directory, (rows) => setCell(rows[7]!, 'index', 700n)),
      faults: [/file-000.parquet, row 7: index is 700, it must be 7/],
    },
    {
      name: 'two frames exchanged under intact indices',
      plant: (directory) =>
        changeRows(directory, (rows) => {
          for (const name of ['tick_time', 'observation.state']) {
            const [earlier, later] = [rows[4]![name], rows[5]![name]];
            setCell(rows[4]!, name, later);
            setCell(rows[5]!, name, earlier);
          }
        }),
      faults: [/row 4: its tick lies 6666666\d ns after the one before/],
    },
    {
      name: 'a column shifted against its mask',
      plant: (directory) =>
        changeRows(directory, (rows) => {
          for (const [i, row] of rows.entries()) {
            if (i > 0) setCell(rows[i - 1]!, 'observation.state', row['observation.state']);
          }
        }),
      faults: [/row 2: "observation.state" is marked invalid and holds a value/],
    },
    {
      name: 'a lost row',
      plant: (directory) => changeRows(directory, (rows) => rows.splice(25, 1)),
      faults: [/^data: the files hold 25 rows, meta\/info.json says 26/],
    },
    {
      name: 'timestamps of a real clock',
      plant: (directory) => changeRows(directory, (rows) => setCell(rows[5]!, 'timestamp', 0.17)),
      faults: [/row 5: timestamp is 0.17\d*, it must be 0.1666/],
    },
    {
      name: 'the task of another episode',
      plant: (directory) => changeRows(directory, (rows) => setCell(rows[9]!, 'task_index', 0n)),
      faults: [/row 9: task_index 0 is not a task of its episode \("place the block"\)/],
    },
    {
      name: 'a video that was cut off',
      plant: async (directory) =>
        truncate(join(directory, TOP), (await readMp4(join(directory, TOP))).offsets[20]! + 1),
      faults: [/observation.images.top\/.*: frame 20 lies beyond the end of the file/],
    },
    {
      name: 'a video whose index is cut off',
      plant: (directory) => truncate(join(directory, TOP), 200),
      faults: [/top\/.*: Cannot read video .*: no complete box "moov"/],
    },
    {
      name: 'a missing video',
      plant: (directory) => rm(join(directory, WRIST)),
      faults: [/wrist\/.*: cannot be opened \(.*ENOENT/],
    },
    {
      name: 'the video of another camera',
      plant: (directory) => cp(join(directory, WRIST), join(directory, TOP)),
      faults: [/top\/.*: shows 64 × 64 pixels, .* declares shape \[64, 96, 3\]/],
    },
    {
      name: 'a video that lacks a frame',
      plant: async (directory) => {
        const shorter = await writeDataset(join(root, 'shorter'), { backend: backend.name }, [9, 4, 12]);
        await cp(join(shorter, TOP), join(directory, TOP));
      },
      faults: [/top\/.*: holds 25 frames, its episodes have 26/],
    },
    {
      name: 'a video of another rate',
      plant: async (directory) => {
        const info = JSON.parse(await readFile(join(directory, 'meta/info.json'), 'utf8'));
        await writeFile(join(directory, 'meta/info.json'), JSON.stringify({ ...info, fps: 25 }));
      },
      faults: [/top\/.*: frame 0 lasts 512\/15360 s, every frame must last exactly 1\/25 s/],
    },
    {
      name: 'statistics that are no numbers',
      plant: async (directory) => {
        const stats = JSON.parse(await readFile(join(directory, 'meta/stats.json'), 'utf8'));
        stats.action.mean = [null];
        await writeFile(join(directory, 'meta/stats.json'), JSON.stringify(stats));
      },
      faults: [/^meta\/stats.json: cannot be read, or holds something other than finite numbers/],
    },
    {
      name: 'missing statistics',
      plant: async (directory) => {
        const stats = JSON.parse(await readFile(join(directory, 'meta/stats.json'), 'utf8'));
        delete stats['observation.state'];
        stats['observation.tactile'].max = [1, 2];
        await writeFile(join(directory, 'meta/stats.json'), JSON.stringify(stats));
      },
      faults: [
        /"observation.state" has values and no statistics/,
        /"observation.tactile" has "max" of shape \[2\], not \[2, 3\]/,
      ],
    },
    {
      name: 'a missing description',
      plant: (directory) => rm(join(directory, 'meta/info.json')),
      faults: [/meta\/info.json: cannot be read/],
    },
    {
      name: 'a table that is no Parquet',
      plant: (directory) => writeFile(join(directory, DATA), 'PAR1 and nothing else PAR1'),
      faults: [/Cannot read ".*file-000.parquet": it is no sound Parquet file/],
    },
  ];

  it.each(DAMAGES)('names $name', async ({ name, plant, faults }) => {
    const directory = join(root, `damage ${name}`);
    await cp(sound, directory, { recursive: true });
    await plant(directory);
    const found = await verifyLerobot(directory);
    for (const fault of faults) expect(found).toContainEqual(expect.stringMatching(fault));
  });

  it('finds a dataset of the official writer sound', async ({ skip }) => {
    const reference = join(import.meta.dirname, '../../../shared/data/lerobot_v30_rebot_arm_nocam');
    skip(!existsSync(reference), 'the reference dataset is not beside the clone');
    expect(await verifyLerobot(reference)).toEqual([]);
  });
});

type Row = ParquetRow;

function setCell(row: Row, column: string, value: unknown): void {
  Object.assign(row, { [column]: value });
}

/** Rewrites the data file of a dataset with other rows. */
async function changeRows(directory: string, change: (rows: Row[]) => void): Promise<void> {
  const rows = [...(await readParquetRows(join(directory, DATA)))];
  change(rows);
  const columns = dataColumns(fixtureContract).map((column) => ({
    ...column,
    shape: cellShape(column.shape),
  }));
  const file = new ParquetFile(columns);
  const values = columns.map(({ name, dtype }): ColumnRows => {
    const flat = rows.flatMap((row) => [row[name]].flat(5));
    if (dtype === 'int64') return BigInt64Array.from(flat, (each) => BigInt(each as bigint));
    const numbers = flat.map(Number);
    if (dtype === 'float32') return Float32Array.from(numbers);
    return dtype === 'float64' ? Float64Array.from(numbers) : Uint8Array.from(numbers);
  });
  file.append(rows.length, values);
  await writeFile(join(directory, DATA), file.encode());
}
