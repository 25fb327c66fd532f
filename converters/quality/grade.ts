import type { Finding, FindingStatus, LimitOrigin } from '../../schemas/finding.ts';
import type { CatalogueLimits, CheckRecord, Judgement } from './check.ts';
import type { Subject } from './subject.ts';

export interface Limits extends Pick<CatalogueLimits, 'warn' | 'fail'> {
  readonly origin: LimitOrigin;
}

/** Limits of a check on one robot: the contract's, else those the check found for itself, else the catalogue's. */
function limitsOf(check: CheckRecord, subject: Pick<Subject, 'contract'>, own?: Judgement['limits']): Limits {
  const { warn, fail } = { ...check.limits, ...own };
  const origin = own?.origin ?? (check.limits?.validated ? 'default' : 'own');
  const ofContract = subject.contract?.checks?.[check.id];
  if (!ofContract) return { ...defined({ warn, fail }), origin };
  return { ...defined({ warn, fail }), ...defined(ofContract), origin: 'contract' };
}

/** A judgement with its status, its limits and the id that it keeps when the episode is checked again. */
export function findingOf(
  check: CheckRecord,
  judgement: Judgement,
  subject: Pick<Subject, 'contract'>,
): Finding {
  const { value, window, stream, channel, evidence = {}, reason } = judgement;
  const limits = limitsOf(check, subject, judgement.limits);
  const status = judgement.status ?? grade(value, limits, check.limits?.bad);
  const limit = value === undefined ? undefined : limitBeside(status, limits);
  return {
    id: [check.id, stream?.name, channel].filter((part) => part !== undefined).join('/'),
    check: check.id,
    claim: judgement.claim ?? check.claim,
    status,
    unit: check.unit,
    ...(value !== undefined && Number.isFinite(value) && { value }),
    ...(limit !== undefined && { limit, limitOrigin: limits.origin }),
    ...(window && { window: { startTime: window.startTime, endTime: window.endTime } }),
    ...(stream && { stream: stream.name }),
    ...(channel !== undefined && { channel }),
    evidence: storable(evidence),
    reason,
  };
}

/** JSON has no NaN and no infinity: such figures say nothing and are left out. */
function storable(evidence: NonNullable<Judgement['evidence']>): Finding['evidence'] {
  const isTold = (each: unknown) => typeof each !== 'number' || Number.isFinite(each);
  return Object.fromEntries(
    Object.entries(evidence)
      .filter(([, each]) => isTold(each))
      .map(([key, each]) => [key, typeof each === 'object' ? each.filter(isTold) : each]),
  );
}

function grade(
  value: number | undefined,
  { warn, fail }: Limits,
  bad: 'above' | 'below' = 'above',
): FindingStatus {
  if (value === undefined) throw new TypeError('A judgement needs a status or a value');
  const isBeyond = (limit: number | undefined) =>
    limit !== undefined && (bad === 'above' ? value > limit : value < limit);
  if (isBeyond(fail)) return 'fail';
  return isBeyond(warn) ? 'warn' : 'pass';
}

function limitBeside(status: FindingStatus, { warn, fail }: Limits): number | undefined {
  return status === 'fail' ? (fail ?? warn) : (warn ?? fail);
}

function defined(limits: {
  warn?: number | undefined;
  fail?: number | undefined;
}): Pick<Limits, 'warn' | 'fail'> {
  const { warn, fail } = limits;
  return { ...(warn !== undefined && { warn }), ...(fail !== undefined && { fail }) };
}
