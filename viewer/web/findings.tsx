import { useState } from 'preact/hooks';
import type { EpisodeFindings } from '../api.ts';
import type { EpisodeTime } from './episode-time.ts';
import { formatClock } from './format.ts';
import type { LabelStore } from './label-store.ts';
import { Verdict } from './verdicts.tsx';

type Report = NonNullable<EpisodeFindings['report']>;

interface Props {
  readonly report: Report;
  readonly store: LabelStore | undefined;
  readonly time: EpisodeTime;
  readonly onSeek: (secs: number) => void;
}

const WEIGHT = { fail: 0, warn: 1, not_assessed: 2, info: 3, pass: 4 } as const;

/** What the checks found, the worst first; what a person has looked at can be waived with a reason. */
export function Findings({ report, store, time, onSeek }: Props) {
  const waivers = new Map(
    store?.state.labels?.current.waivers.map((waiver) => [waiver.label.finding, waiver]),
  );
  const shown = report.findings.filter(({ status }) => status === 'fail' || status === 'warn');
  const unassessed = report.findings.filter(({ status }) => status === 'not_assessed').length;
  return (
    <section aria-label="Findings" class="finding-list">
      <h2>
        Checks <Verdict verdict={report.verdict} />
      </h2>
      <ul>
        {shown
          .toSorted((a, b) => WEIGHT[a.status] - WEIGHT[b.status])
          .map((finding) => {
            const waiver = waivers.get(finding.id);
            const { id, status, stream, reason, window } = finding;
            const secs = window && time.secsAt(window.startTime);
            return (
              <li key={id} class={waiver ? 'waived' : status}>
                <button
                  type="button"
                  class="plain"
                  disabled={secs === undefined}
                  onClick={() => secs !== undefined && onSeek(secs)}
                >
                  <b>{stream ? `${stream}:` : status}</b> {reason}{' '}
                  {secs !== undefined && <small>{formatClock(secs)}</small>}
                </button>
                {store && (
                  <Waiver
                    reason={waiver?.label.reason}
                    onWaive={(why) =>
                      void store.say({ kind: 'waiver', finding: id, reason: why }, waiver?.id)
                    }
                    onTakeBack={() => void store.say({ kind: 'removal' }, waiver?.id)}
                  />
                )}
              </li>
            );
          })}
      </ul>
      <p class="hint">
        {report.findings.length - shown.length - unassessed} passed
        {unassessed > 0 && `, ${unassessed} could not be assessed`}
      </p>
    </section>
  );
}

interface WaiverProps {
  readonly reason: string | undefined;
  readonly onWaive: (reason: string) => void;
  readonly onTakeBack: () => void;
}

function Waiver({ reason, onWaive, onTakeBack }: WaiverProps) {
  const [isAsking, setAsking] = useState(false);
  if (reason !== undefined) {
    return (
      <span>
        waived: {reason}{' '}
        <button type="button" class="plain" onClick={onTakeBack}>
          count it again
        </button>
      </span>
    );
  }
  if (!isAsking) {
    return (
      <button type="button" class="plain" onClick={() => setAsking(true)}>
        waive
      </button>
    );
  }
  return (
    <input
      aria-label="Why it does not count"
      placeholder="why it does not count, then enter"
      ref={(field) => field?.focus()}
      onBlur={() => setAsking(false)}
      onKeyDown={({ key, currentTarget }) => {
        const why = currentTarget.value.trim();
        if (key === 'Enter' && why) onWaive(why);
        if (key === 'Enter' || key === 'Escape') setAsking(false);
      }}
    />
  );
}
