import { stat } from 'node:fs/promises';
import { EPISODE_SUFFIX, PART_SUFFIX } from '../../schemas/episode.ts';
import { UsageError } from '../../schemas/errors.ts';
import { type RecoveryReport, recoverEpisode } from '../../schemas/recovery.ts';

/**
 * `kinescribe recover`: makes valid episodes of recordings that were cut off or damaged. The inputs stay.
 *
 * @returns 0 when nothing is missing, 3 when something is, 1 when a file held no message.
 */
export async function recover(
  files: readonly string[],
  { output }: { readonly output?: string } = {},
): Promise<number> {
  if (output !== undefined && files.length > 1) {
    throw new UsageError(
      `Cannot recover ${files.length} files into one: --output "${output}" takes a single input. Leave it out.`,
    );
  }
  const reports: RecoveryReport[] = [];
  for (const file of files) {
    const target = output ?? targetOf(file);
    await refuseExisting(target);
    const report = await recoverEpisode(file, target);
    reports.push(report);
    process.stdout.write(`${reportLines(file, target, report).join('\n')}\n`);
  }
  const has = (result: RecoveryReport['result']) => reports.some((report) => report.result === result);
  return has('nothing') ? 1 : has('lossy') ? 3 : 0;
}

/** `a.mcap.part` becomes `a.mcap`; anything else gets `-recovered` before its ending. */
function targetOf(file: string): string {
  if (file.endsWith(PART_SUFFIX)) return file.slice(0, -PART_SUFFIX.length) + EPISODE_SUFFIX;
  return `${file.replace(/\.mcap(\.\w+)?$/, '')}-recovered${EPISODE_SUFFIX}`;
}

async function refuseExisting(target: string): Promise<void> {
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw new UsageError(`Cannot write "${target}": it exists. Give another --output, or move it away.`);
  }
}

function reportLines(file: string, target: string, report: RecoveryReport): string[] {
  const { result, messageCount, isClosed, damages, losses } = report;
  const places = damages.map(
    ({ startOffset, endOffset, reason }) => `  bytes ${startOffset} to ${endOffset}: ${reason}`,
  );
  if (result === 'nothing') return [`${file}: no message found, nothing written`, ...places];
  const counted = losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
  const topics = new Set(losses.map(({ topic }) => topic));
  return [
    `${file}: ${messageCount} messages → ${target}`,
    ...(isClosed
      ? []
      : ['  the recording had not been ended: the last moments before the break are missing']),
    ...places,
    ...(result === 'lossless' ? ['  nothing is missing'] : []),
    ...(topics.size > 0
      ? [
          `  lost: ${counted > 0 ? `${counted} messages` : 'an unknown number'} on ${[...topics].join(', ')}; "kinescribe info ${target}" says when`,
        ]
      : []),
  ];
}
