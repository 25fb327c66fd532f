import { useEffect, useRef, useState } from 'preact/hooks';
import { awaitedTopics } from '../../schemas/awaited-topics.ts';
import type { RecordingCommand } from '../../schemas/recording-control.ts';
import { RECORDING_KEYS } from '../../schemas/recording-keys.ts';
import type { RecordingNow } from '../api.ts';
import { formatBytes, formatCount } from './format.ts';
import { PlanLine } from './plan-line.tsx';
import { RecordingLink, type RecordingState } from './recording-link.ts';
import { pageAddress } from './server.ts';
import { useSound } from './sound.ts';
import { StreamTable, streamTrouble } from './stream-table.tsx';
import { NEXT_STEP, TakeControls, WAITING } from './take-controls.tsx';
import { TakeDescription } from './take-description.tsx';
import './recording.css';

/** A gloved finger bounces: presses so soon after the screen has changed were meant for the one before. */
const BOUNCE_MILLIS = 400;
const WORDS = { idle: 'Ready', recording: 'Recording', review: 'Review' } as const;

/** Where an operator stands: the state at a glance, the buttons of that state, every stream. */
export function RecordingScreen() {
  const link = useRef<RecordingLink>(null);
  const [line, setLine] = useState<RecordingState>();
  const [note, setNote] = useState('');
  const [said, setSaid] = useState('');
  const status = line?.status;
  const [sound, onSound] = useSound(status);
  // What the big button says: it changes when a start or stop is under way, and again when that is done.
  const step = `${status?.state} ${(line?.pending && WAITING[line.pending]) ?? ''}`;
  const isSettled = useSettled(step) === step;
  const isReady = line?.connection === 'open' && line.pending === undefined && isSettled;

  useEffect(() => {
    link.current = new RecordingLink(setLine);
    return () => link.current?.close();
  }, []);
  useEffect(() => {
    // What was said and written belongs to the take that it was said of, whoever ends that.
    setSaid('');
    setNote('');
    document.title = `${status ? WORDS[status.state] : 'Recording'} – Kinescribe`;
  }, [status?.state, status?.episodeId]);

  const press = async (...commands: readonly RecordingCommand[]) => {
    if (!isReady) return;
    for (const command of commands) {
      const hasNote = command.kind === 'keep' && note.trim() !== '';
      if (!(await link.current?.send(hasNote ? { ...command, note: note.trim() } : command))) return;
      if (command.kind === 'mistake') setSaid(`Mistake marked at ${clockText(status?.durationSecs ?? 0)}`);
    }
  };
  const onKey = useRef((_event: KeyboardEvent) => {});
  onKey.current = (event) => {
    const command = commandOfKey(event);
    if (!command || !status) return;
    event.preventDefault();
    void press(...(command.kind === 'toggle' ? NEXT_STEP[status.state] : [command]));
  };
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey.current(event);
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);

  if (!line || !status) return <p class="notice">{line?.reason || 'Looking for the recording session…'}</p>;
  return (
    <div
      class="operator"
      data-state={status.state}
      data-connection={line.connection}
      data-paused={status.paused}
      data-troubled={status.streams.some(({ trouble }) => trouble)}
    >
      <StateBar status={status} />
      <Alerts line={line} status={status} />
      <main>
        {/* A press by finger or mouse leaves the focus where it is, so that the keys go on working. */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: nothing is offered here */}
        <div class="controls" onMouseDown={keepFocus}>
          <TakeControls
            {...{ status, isReady, note }}
            pending={line.pending}
            onNote={setNote}
            onPress={(...commands) => void press(...commands)}
          />
          <p class="said" role="status">
            {said}
          </p>
          {status.plan && <PlanLine plan={status.plan} />}
          {/* What the next take is of can wait; the button that ends this one gets the room. */}
          {status.state !== 'recording' && (
            <TakeDescription
              {...{ status, sound, onSound }}
              onDescribe={(command) => void link.current?.send(command)}
            />
          )}
        </div>
        <StreamTable streams={status.streams} />
      </main>
    </div>
  );
}

/** The value once it has stood for a moment. */
function useSettled<T>(value: T): T | undefined {
  const [settled, setSettled] = useState<T>();
  useEffect(() => {
    const timer = setTimeout(() => setSettled(() => value), BOUNCE_MILLIS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

function StateBar({ status }: { status: RecordingNow }) {
  const { state, episodeId, durationSecs, storage, kept, discarded } = status;
  const { secsLeft, takesLeft, freeBytes, exhausted } = storage;
  const left = secsLeft === undefined ? formatBytes(freeBytes) : minutesText(secsLeft);
  const awaited = awaitedTopics(status);
  const word = awaited.length > 0 ? 'Waiting' : WORDS[state];
  const isShort = exhausted || (secsLeft !== undefined && secsLeft < SHORT_SECS);
  return (
    <header class="state-bar">
      <div role="status">
        <h1>
          <i aria-hidden="true" /> {status.paused ? 'Paused' : word}
        </h1>
        <p>{episodeId ?? (awaited.length > 0 ? `for ${awaited.join(', ')}` : 'next take')}</p>
      </div>
      <output class="take-clock" aria-label="length of the take">
        {state !== 'idle' && clockText(durationSecs)}
      </output>
      <dl>
        <div>
          <dt>disk left</dt>
          <dd class={isShort ? 'short' : ''}>
            {left}
            {takesLeft !== undefined && takesLeft < FEW_TAKES && ` · ${formatCount(takesLeft)} takes`}
          </dd>
        </div>
        <div>
          <dt>kept</dt>
          <dd>{formatCount(kept)}</dd>
        </div>
        <div>
          <dt>discarded</dt>
          <dd>{formatCount(discarded)}</dd>
        </div>
      </dl>
      <a href={pageAddress()}>Episodes</a>
    </header>
  );
}

/** With less than this left the disk's line turns red. */
const SHORT_SECS = 300;
/** More takes than this nobody counts down. */
const FEW_TAKES = 100;

/** The gravest come first; more would not be read while the robot moves. */
const NAMED_FINDINGS = 3;

/** What is wrong, in words that are read out only when they change. */
function Alerts({ line, status }: { line: RecordingState; status: RecordingNow }) {
  const troubled = status.streams.map(streamTrouble).filter(Boolean);
  const isLost = line.connection === 'lost';
  return (
    <div class="alerts" role="alert">
      {isLost && (
        <p>
          <b>Connection lost, reconnecting…</b> {line.reason || 'A running take goes on without this page.'}
        </p>
      )}
      {!isLost && status.trouble && <p>{status.trouble}</p>}
      {!isLost && troubled.length > 0 && (
        <p>
          <b>In trouble:</b> {troubled.join(', ')}
        </p>
      )}
      {!isLost &&
        status.wrong.slice(0, NAMED_FINDINGS).map((text) => (
          <p key={text} class="finding">
            {text}
          </p>
        ))}
      {line.refusal && <p class="refusal">{line.refusal}</p>}
    </div>
  );
}

function commandOfKey({ key, target, repeat, ctrlKey, metaKey, altKey }: KeyboardEvent) {
  if (repeat || ctrlKey || metaKey || altKey) return undefined;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return undefined;
  // Space on a focused button or link is that one's.
  if (key === ' ' && (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement))
    return undefined;
  return RECORDING_KEYS[key.toLowerCase()];
}

function keepFocus(event: MouseEvent): void {
  if (event.target instanceof Element && event.target.closest('button')) event.preventDefault();
}

function clockText(secs: number): string {
  const minutes = Math.floor(secs / 60);
  return `${minutes}:${String(Math.floor(secs - 60 * minutes)).padStart(2, '0')}`;
}

function minutesText(secs: number): string {
  return secs < 36_000 ? `${Math.floor(secs / 60)} min` : `${Math.floor(secs / 3600)} h`;
}
