/** Numbers and times as people read them. */

export function formatClock(secs: number): string {
  const minutes = Math.floor(secs / 60);
  return `${minutes}:${(secs - 60 * minutes).toFixed(2).padStart(5, '0')}`;
}

export function formatDuration(secs: number): string {
  if (secs < 60) return `${secs.toFixed(1)} s`;
  const minutes = Math.floor(secs / 60);
  return `${minutes} min ${Math.round(secs - 60 * minutes)} s`;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}

export function formatRate(rateHz: number | null): string {
  if (rateHz === null) return '–';
  return rateHz >= 100 ? rateHz.toFixed(0) : rateHz.toFixed(1);
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

export function formatDate(nanos: string): string {
  return new Date(Number(BigInt(nanos) / 1_000_000n)).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'short',
  });
}

/** Why messages are missing, in words. */
export const CAUSES: Readonly<Record<string, string>> = {
  'queue-full': 'the recorder was too slow',
  gap: 'gap: they never arrived',
  'late-start': 'the stream started late',
  'early-end': 'the stream ended early',
  'publisher-gone': 'nobody published it any more',
  silent: 'the stream never sent anything',
  damaged: 'the file was damaged here',
};
