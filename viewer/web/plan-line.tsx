import { planWords } from '../../schemas/plan-words.ts';
import type { RecordingNow } from '../api.ts';
import './plan-line.css';

/** What the plan wants next, and how far it is. */
export function PlanLine({ plan }: { plan: NonNullable<RecordingNow['plan']> }) {
  const { done, count } = plan;
  return (
    <div class="plan">
      <p class="next" role="status">
        {planWords(plan)}
      </p>
      <progress value={done} max={count} aria-label={`${done} of ${count} takes of the plan`} />
      <small aria-hidden="true">
        {done} / {count}
      </small>
    </div>
  );
}
