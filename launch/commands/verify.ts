import { verifyDataset } from '../../converters/verify.ts';
import { FORMATS } from '../formats.ts';

/**
 * `kinescribe verify`: reads datasets back and names every fault.
 *
 * @returns 0 when all are sound, 3 when there are faults.
 */
export async function verify(
  directories: readonly string[],
  { json = false }: { readonly json?: boolean } = {},
): Promise<number> {
  const reports: { directory: string; faults: readonly string[] }[] = [];
  for (const directory of directories) {
    const { manifest, faults } = await verifyDataset(directory, FORMATS);
    reports.push({ directory, faults });
    if (json) continue;
    for (const fault of faults) console.log(`  FAULT ${fault}`);
    const what = manifest
      ? `${manifest.format}, ${manifest.episodes.length} episodes, ${manifest.frames} frames, ${manifest.files.length} files`
      : 'no manifest';
    const verdict =
      faults.length === 0 ? 'sound' : `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`;
    console.log(`${directory}: ${verdict} (${what})`);
  }
  if (json) console.log(JSON.stringify(reports, undefined, 2));
  return reports.some(({ faults }) => faults.length > 0) ? 3 : 0;
}
