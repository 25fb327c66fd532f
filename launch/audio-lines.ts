import type { Contract } from '../schemas/contract.ts';
import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';

/** Less than half of what people notice between sight and sound: 45 ms, ITU-R BT.1359. */
const WORTH_SAYING_SECS = 0.02;

/** What of the sound was not recorded, and clocks of microphones that run away from those of the stamps. */
export function audioLines(
  episodes: readonly ManifestEpisode[],
  { audio: tracks = {} }: Contract,
): readonly string[] {
  return episodes.flatMap(({ id, audio = [] }) =>
    audio.flatMap(({ name, samples, silences, driftSecs }) => {
      const secs = (count: number) => (count / tracks[name]!.sampleRateHz).toFixed(3);
      const lost = silences.reduce((sum, { from, to }) => sum + to - from, 0);
      const places = silences.length === 1 ? 'one place' : `${silences.length} places`;
      const lines: string[] = [];
      if (lost > 0) {
        lines.push(
          `  SILENT ${id}, "${name}": ${secs(lost)} of ${secs(samples)} s in ${places} were not recorded`,
        );
      }
      if (driftSecs > WORTH_SAYING_SECS) {
        lines.push(
          `  DRIFT ${id}, "${name}": its stamps moved ${driftSecs.toFixed(3)} s away from its samples`,
        );
      }
      return lines;
    }),
  );
}
