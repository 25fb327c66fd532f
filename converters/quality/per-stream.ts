import type { Check, Judgement, Watch } from './check.ts';
import type { EpisodeFacts } from './episode-facts.ts';
import type { Observation } from './observation.ts';
import type { CheckedStream, Subject } from './subject.ts';

/** The part of a check that watches one stream. */
export interface StreamWatch {
  observe(observation: Observation): void;
  /** As {@link Watch.findings}; the stream is filled in. */
  findings(now: bigint, facts?: EpisodeFacts): Iterable<Judgement>;
}

/** A check that watches every stream of some kind for itself. */
export function perStream(
  applies: (stream: CheckedStream) => boolean,
  begin: (stream: CheckedStream, subject: Subject) => StreamWatch,
): Check['watch'] {
  return (subject): Watch => {
    const watches = new Map<CheckedStream, StreamWatch>();
    return {
      wants: applies,
      observe(observation) {
        let watch = watches.get(observation.stream);
        if (!watch) {
          watch = begin(observation.stream, subject);
          watches.set(observation.stream, watch);
        }
        watch.observe(observation);
      },
      *findings(now, facts) {
        for (const [stream, watch] of watches) {
          for (const judgement of watch.findings(now, facts)) yield { stream, ...judgement };
        }
      },
    };
  };
}
