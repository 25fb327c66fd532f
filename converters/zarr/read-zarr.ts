import type { Contract } from '../../schemas/contract.ts';
import type { ColumnReading, EpisodeReading, PictureReading } from '../dataset-reading.ts';
import { isLarge } from '../episode-numbers.ts';
import type { FrameRange } from '../stored-elements.ts';
import { EPISODE_ENDS, type ZarrLayout, zarrLayout } from './layout.ts';
import { attributesSchema } from './verify-zarr.ts';
import { readRows } from './zarr-array.ts';
import type { ZarrSource } from './zarr-store.ts';

/** Reads a replay buffer back. */
export async function* readZarr(
  open: () => Promise<ZarrSource>,
  contract: Contract,
): AsyncGenerator<EpisodeReading> {
  const layout = zarrLayout(contract);
  const source = await open();
  try {
    const text = Buffer.from(await source.get('.zattrs')).toString();
    const { episodes } = attributesSchema.parse(JSON.parse(text));
    const ends = [0, ...(await readRows(source, EPISODE_ENDS))].map(Number);
    for (const [i, { id, recording, task }] of episodes.entries()) {
      const [from, to] = [ends[i]!, ends[i + 1]!];
      const columns: ColumnReading[] = [];
      for (const { name, column } of layout.columns) {
        const path = `data/${name}`;
        const read = (range: FrameRange) =>
          readRows(source, path, { from: from + range.from, to: from + range.to });
        const values = isLarge(column) ? { rows: to - from, read } : await read({ from: 0, to: to - from });
        columns.push({ place: path, column, values, firstRow: from });
      }
      yield {
        ...{ id, recording, columns },
        texts: [{ place: `.zattrs, episode ${i}`, values: [task], frames: () => [0] }],
        pictures: (frames) => readPictures(source, { layout, frames, from }),
      };
    }
  } finally {
    await source.close();
  }
}

async function* readPictures(
  source: ZarrSource,
  {
    layout,
    frames,
    from,
  }: { readonly layout: ZarrLayout; readonly frames: readonly number[]; readonly from: number },
): AsyncGenerator<PictureReading> {
  for (const { name, key } of layout.pictures) {
    for (const frame of frames) {
      const row = from + frame;
      const stored = await readRows(source, `data/${name}`, { from: row, to: row + 1 });
      const pixels = Uint8Array.from(stored, Number);
      yield { place: `data/${name}, row ${row}`, key, frame, pixels, isLossy: false };
    }
  }
}
