import type { Finding } from '../../schemas/finding.ts';
import type { Check, Watch } from './check.ts';
import type { EpisodeFacts } from './episode-facts.ts';
import { findingOf } from './grade.ts';
import type { Observation } from './observation.ts';
import { assessable } from './reconstructed-clock.ts';
import type { CheckedStream, Subject } from './subject.ts';

interface RunningCheck {
  readonly check: Check;
  readonly watch: Watch;
}

/** All checks in the middle of one episode: live as after a take. */
export class Examination {
  readonly #subject: Subject;
  readonly #running: readonly RunningCheck[];
  readonly #observers = new Map<CheckedStream, readonly Watch[]>();
  readonly #watches: readonly Watch[];

  constructor(checks: readonly Check[], subject: Subject) {
    this.#subject = subject;
    this.#running = checks.map((check) => ({ check, watch: check.watch(subject) }));
    this.#watches = this.#running.map(({ watch }) => watch);
  }

  /** Takes the messages in order of arrival. */
  observe(observation: Observation): void {
    for (const watch of this.#observersOf(observation.stream)) watch.observe!(observation);
  }

  /** The recorder's queue refused a message of a stream. */
  refused(stream: CheckedStream, logTime: bigint): void {
    for (const watch of this.#watches) watch.refused?.(stream, logTime);
  }

  /**
   * What the checks say at an instant: all of them at the end, those that run live while recording.
   *
   * @param facts of the finished file; absent while recording.
   */
  findings(now: bigint, facts?: EpisodeFacts): readonly Finding[] {
    const asked = facts ? this.#running : this.#running.filter(({ check }) => check.runs === 'live');
    const findings = asked.flatMap(({ check, watch }) =>
      Array.from(watch.findings(now, facts), (judgement) => findingOf(check, judgement, this.#subject)),
    );
    return assessable(findings);
  }

  #observersOf(stream: CheckedStream): readonly Watch[] {
    let observers = this.#observers.get(stream);
    if (!observers) {
      observers = this.#watches.filter((watch) => watch.observe && watch.wants?.(stream));
      this.#observers.set(stream, observers);
    }
    return observers;
  }
}
