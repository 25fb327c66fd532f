import type { Judgement } from '../check.ts';

/** What a judgement says of one channel, before the worst channel of a stream is chosen. */
export interface ChannelValue extends Pick<Judgement, 'channel' | 'window' | 'evidence' | 'limits'> {
  readonly value: number;
}

/** The worst of several channels; beside it, by name, what the others have. Undefined of none. */
export function worstOf(
  values: readonly ChannelValue[],
  bad: 'above' | 'below' = 'above',
): (ChannelValue & { readonly evidence: NonNullable<Judgement['evidence']> }) | undefined {
  const isWorse = (a: number, b: number) => (bad === 'above' ? a > b : a < b);
  let worst = values[0];
  for (const each of values) if (isWorse(each.value, worst!.value)) worst = each;
  if (!worst) return undefined;
  const channels = values.map(({ channel, value }) => `${channel} ${Number(value.toPrecision(3))}`);
  return { ...worst, evidence: { ...worst.evidence, channels } };
}
