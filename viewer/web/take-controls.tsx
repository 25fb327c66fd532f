import type { ComponentChildren } from 'preact';
import type { RecordingCommand } from '../../schemas/recording-control.ts';
import type { RecordingNow } from '../api.ts';
import { formatBytes, formatCount, formatDuration } from './format.ts';
import { streamName } from './stream-table.tsx';

interface Props {
  readonly status: RecordingNow;
  /** Whether a press means something now. */
  readonly isReady: boolean;
  readonly pending: RecordingCommand['kind'] | undefined;
  readonly note: string;
  readonly onNote: (note: string) => void;
  /** Gives commands one after another, as long as they are carried out. */
  readonly onPress: (...commands: readonly RecordingCommand[]) => void;
}

/** What the big button does. Never "toggle": of two operators who press at once, one would undo the other. */
export const NEXT_STEP: Readonly<Record<RecordingNow['state'], readonly RecordingCommand[]>> = {
  idle: [{ kind: 'start' }],
  recording: [{ kind: 'stop' }],
  review: [{ kind: 'keep' }, { kind: 'start' }],
};

/** What is said while a command takes its time; a stop goes on for the post-roll. */
export const WAITING: Partial<Record<RecordingCommand['kind'], string>> = {
  start: 'Starting…',
  stop: 'Stopping…',
};

/** The buttons of the state that the session is in. */
export function TakeControls(props: Props) {
  const { status, isReady, pending, onPress } = props;
  if (status.state === 'review') return <Review {...props} />;
  const word = status.state === 'idle' ? 'Start' : 'Stop';
  return (
    <>
      <Press
        class={`step ${status.state}`}
        keyName="space"
        isReady={isReady}
        onPress={() => onPress(...NEXT_STEP[status.state])}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          {status.state === 'idle' ? <circle cx="12" cy="12" r="9" /> : <path d="M5 5h14v14H5z" />}
        </svg>
        {(pending && WAITING[pending]) ?? word}
      </Press>
      {status.state === 'recording' && (
        <div class="pair">
          <Press class="aside" keyName="m" isReady={isReady} onPress={() => onPress({ kind: 'mistake' })}>
            Mistake now
          </Press>
          <Press
            class="aside"
            keyName={status.paused ? 'r' : 'p'}
            isReady={isReady}
            onPress={() => onPress({ kind: status.paused ? 'resume' : 'pause' })}
          >
            {status.paused ? 'Resume' : 'Pause'}
          </Press>
        </div>
      )}
    </>
  );
}

const QUALITIES = [1, 2, 3, 4, 5];

function Review({ status, isReady, note, onNote, onPress }: Props) {
  const press = (command: RecordingCommand) => () => onPress(command);
  return (
    <>
      <div class="pair verdicts">
        <Press
          class="success"
          keyName="s"
          isReady={isReady}
          onPress={press({ kind: 'keep', outcome: 'success' })}
        >
          <b aria-hidden="true">✓</b> Success
        </Press>
        <Press
          class="failure"
          keyName="f"
          isReady={isReady}
          onPress={press({ kind: 'keep', outcome: 'failure' })}
        >
          <b aria-hidden="true">✕</b> Failure
        </Press>
      </div>
      <Result status={status} />
      <fieldset class="quality">
        <legend>Quality, from 1 poor to 5 excellent</legend>
        {QUALITIES.map((value) => (
          <button
            key={value}
            type="button"
            aria-label={`Quality ${value}`}
            aria-pressed={status.quality === value}
            aria-disabled={!isReady}
            onClick={press({ kind: 'quality', value })}
          >
            {value}
          </button>
        ))}
      </fieldset>
      <label class="field">
        Note
        <input
          value={note}
          maxLength={10_000}
          placeholder="what is worth knowing of this take"
          onInput={({ currentTarget }) => onNote(currentTarget.value)}
        />
      </label>
      <div class="endings">
        <Press class="aside" keyName="d" isReady={isReady} onPress={press({ kind: 'discard' })}>
          Discard
        </Press>
        <Press class="aside" keyName="k" isReady={isReady} onPress={press({ kind: 'keep' })}>
          Keep
        </Press>
        <Press class="aside" keyName="space" isReady={isReady} onPress={() => onPress(...NEXT_STEP.review)}>
          Keep and start the next
        </Press>
      </div>
    </>
  );
}

/** More would not be read before the next take. */
const NAMED_LOSSES = 3;

function Result({ status }: { status: RecordingNow }) {
  if (!status.review) return null;
  const { durationSecs, bytes, losses, checked } = status.review;
  const names = new Map(status.streams.map((stream) => [stream.topic, streamName(stream)]));
  const lost = [...Map.groupBy(losses, ({ topic }) => names.get(topic) ?? topic)];
  const more = lost.length > NAMED_LOSSES ? [`${lost.length - NAMED_LOSSES} more`] : [];
  const text = [...lost.slice(0, NAMED_LOSSES).map(lossText), ...more].join(', ');
  return (
    <>
      <p class="result">
        {formatDuration(durationSecs)}, {formatBytes(bytes)},{' '}
        {text ? <strong class="loss">lost: {text}</strong> : 'nothing lost'}
      </p>
      {checked && <Checked {...checked} />}
    </>
  );
}

/** What the checks make of the take, before anybody clears the scene. */
function Checked({ verdict, reasons }: NonNullable<NonNullable<RecordingNow['review']>['checked']>) {
  return (
    <div class="result" role="status">
      <strong class={verdict === 'PASS' ? '' : 'loss'}>{VERDICTS[verdict]}</strong>
      {reasons.length > 0 && (
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

const VERDICTS = {
  PASS: 'Checks: pass',
  REVIEW: 'Checks: look at it again',
  EXCLUDE: 'Checks: record it again',
  UNKNOWN: 'Checks: cannot judge',
} as const;

type Losses = NonNullable<RecordingNow['review']>['losses'];

function lossText([name, losses]: readonly [string, Losses]): string {
  const count = losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
  return count > 0 ? `${formatCount(count)} of ${name}` : `all of ${name}`;
}

interface PressProps {
  readonly class: string;
  /** The key that does the same. */
  readonly keyName: string;
  readonly isReady: boolean;
  readonly onPress: () => void;
  readonly children: ComponentChildren;
}

/** A button that keeps its focus while it is not ready, and its name apart from the key it shows. */
function Press({ class: kind, keyName, isReady, onPress, children }: PressProps) {
  return (
    <button
      type="button"
      class={kind}
      aria-disabled={!isReady}
      aria-keyshortcuts={keyName}
      data-key={keyName}
      onClick={onPress}
    >
      <span>{children}</span>
    </button>
  );
}
