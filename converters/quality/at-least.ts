import type { Check, Judgement } from './check.ts';

/** Says at the end why a check found nothing to judge, where it said nothing at all. */
export function elseNotAssessed(reason: string, watch: Check['watch']): Check['watch'] {
  return (subject) => {
    const watched = watch(subject);
    return {
      ...watched,
      *findings(now, facts): Generator<Judgement> {
        let said = false;
        for (const judgement of watched.findings(now, facts)) {
          said = true;
          yield judgement;
        }
        if (!said && facts) yield { status: 'not_assessed', reason };
      },
    };
  };
}
