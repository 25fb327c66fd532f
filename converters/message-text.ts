import type { Contract } from '../schemas/contract.ts';
import { formatTime } from '../schemas/time.ts';
import type { EpisodeNumbers } from './episode-numbers.ts';

/** Says which message the value of a feature is from; empty where no single one tells. */
export function messageText(
  frame: number,
  key: string | undefined,
  { contract, numbers }: { readonly contract: Contract; readonly numbers: EpisodeNumbers },
): string {
  const feature = key === undefined ? undefined : contract.features[key];
  const ageSecs = numbers.features.get(key ?? '')?.ageSecs[frame];
  if (!feature || !('stream' in feature) || ageSecs === undefined || Number.isNaN(ageSecs)) return '';
  const { topic } = contract.streams[feature.stream]!;
  const time = numbers.tickTimes[frame]! - BigInt(Math.round(ageSecs * 1e9));
  return `, message of "${topic}" at ${formatTime(time)}`;
}
