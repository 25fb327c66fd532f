import type { PlanStatus } from './recording-control.ts';

/** How far a plan is and what comes next, for the person who records: the same in the terminal and on the page. */
export function planWords({ next, done, count }: PlanStatus): string {
  if (next) {
    const { task, object, scene } = next.target;
    const what = [object, scene].filter(Boolean).join(', ');
    return `${next.left} of ${next.target.count} left for ${what ? `${what}: ` : ''}${task}`;
  }
  if (done >= count) return `The plan is complete: ${count} takes.`;
  return `What is left of the plan is for other operators: ${count - done} of ${count}.`;
}
