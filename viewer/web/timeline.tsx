import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { EpisodeFacts, StreamFacts } from '../api.ts';
import { formatClock, formatCount, formatRate } from './format.ts';
import type { NamedLane } from './interaction-lanes.tsx';
import { LaneSpan } from './lane-span.tsx';
import type { LossSpan } from './loss-span.ts';
import type { Replay } from './replay.ts';
import { SPEEDS } from './use-deeds.ts';
import { useReplay } from './use-replay.ts';

interface Props {
  readonly replay: Replay;
  readonly facts: EpisodeFacts;
  readonly losses: readonly LossSpan[];
  /** Lanes above those of the streams. */
  readonly said: readonly NamedLane[];
  readonly onSeek: (secs: number) => void;
  readonly onHelp: () => void;
}

/** A press on a loss shows the moment before it. */
const BEFORE_LOSS_SECS = 0.3;

/** Play, pause, speed, and one lane per stream with red where messages are missing. */
export function Timeline({ replay, facts, losses, said, onSeek, onHelp }: Props) {
  const { durationSecs } = facts;
  const [isWhole, setWhole] = useState(false);
  const streams = facts.streams.filter(
    ({ messageCount, expectedRateHz, lostMessages }) => expectedRateHz || messageCount > 2 || lostMessages,
  );
  // Calibrations and the like are looked at when something is wrong with them.
  const main = streams.filter(
    ({ topic, role }) => role !== 'context' || losses.some((loss) => loss.topic === topic),
  );
  const lanes = isWhole ? streams : main;
  return (
    <section class="timeline" aria-label="Time line">
      <Transport replay={replay} facts={facts} onHelp={onHelp} />
      <div class="lanes">
        <ul class="lane-names">
          <li class="axis-name">
            <span>stream</span>
            <span>Hz</span>
            <span>lost</span>
          </li>
          {said.map(({ name }) => (
            <li key={name} class="said-name">
              {name}
            </li>
          ))}
          {lanes.map((stream) => (
            <LaneName key={stream.topic} stream={stream} />
          ))}
          {main.length < streams.length && (
            <li class="said-name">
              <button type="button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
                {isWhole ? 'fewer' : `${streams.length - main.length} more`}
              </button>
            </li>
          )}
        </ul>
        <Track replay={replay} facts={facts} onSeek={onSeek}>
          {said.map(({ lane }) => lane)}
          {lanes.map(({ topic, messageCount }) => (
            <div key={topic} class={messageCount > 0 ? 'lane' : 'lane silent'}>
              {losses
                .filter((loss) => loss.topic === topic)
                .map(({ fromSecs, toSecs, text }) => (
                  <LaneSpan
                    key={text}
                    kind="loss-mark"
                    {...{ fromSecs, toSecs, durationSecs, text }}
                    onPress={() => onSeek(Math.max(0, fromSecs - BEFORE_LOSS_SECS))}
                  />
                ))}
            </div>
          ))}
        </Track>
      </div>
    </section>
  );
}

function Transport({ replay, facts, onHelp }: Pick<Props, 'replay' | 'facts' | 'onHelp'>) {
  const isPlaying = useReplay(replay, ({ status }) => status === 'playing');
  const speed = useReplay(replay, (state) => state.speed);
  const connection = useReplay(replay, (state) => state.connection);
  const start = BigInt(facts.startTime);
  // Twenty times a second: faster digits cannot be read.
  const secs = useReplay(replay, ({ time }) => Math.round(Number(time - start) / 5e7) / 20);
  return (
    <div class="transport">
      <button
        type="button"
        class="play"
        onClick={() => replay.toggle()}
        aria-label={isPlaying ? 'Pause' : 'Play'}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={isPlaying ? 'M6 5h4v14H6zM14 5h4v14h-4z' : 'M7 4.5v15l13-7.5z'} />
        </svg>
      </button>
      <output class="clock">
        {formatClock(Math.max(0, secs))} <small>/ {formatClock(facts.durationSecs)}</small>
      </output>
      <label>
        speed{' '}
        <select value={speed} onChange={({ currentTarget }) => replay.setSpeed(Number(currentTarget.value))}>
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              {each} ×
            </option>
          ))}
        </select>
      </label>
      {connection === 'lost' && <strong class="loss">The server has gone; reload when it is back.</strong>}
      <span class="keys">
        <kbd>space</kbd> play <kbd>←</kbd> <kbd>→</kbd> frame <kbd>g</kbd> next event
      </span>
      <button type="button" class="help" aria-keyshortcuts="?" onClick={onHelp}>
        Keys <kbd>?</kbd>
      </button>
    </div>
  );
}

function LaneName({ stream }: { stream: StreamFacts }) {
  const { name, topic, type, rateHz, expectedRateHz, lostMessages } = stream;
  const expected = expectedRateHz ? `, ${formatRate(expectedRateHz)} Hz expected` : '';
  return (
    <li title={`${topic} (${type})${expected}`}>
      <span class="lane-name">
        <bdi>{name ?? topic}</bdi>
      </span>
      <span>{formatRate(rateHz)}</span>
      <span class={lostMessages ? 'loss' : ''}>
        {lostMessages === null ? '–' : formatCount(lostMessages)}
      </span>
    </li>
  );
}

interface TrackProps extends Pick<Props, 'replay' | 'facts' | 'onSeek'> {
  readonly children: ComponentChildren;
}

/** The lanes' common time axis: press or drag to scrub. */
function Track({ replay, facts, onSeek, children }: TrackProps) {
  const track = useRef<HTMLDivElement>(null);
  const { durationSecs } = facts;
  const start = BigInt(facts.startTime);
  const secs = useReplay(replay, ({ time }) => Math.max(0, Number(time - start) / 1e9));
  const scrub = ({ buttons, clientX }: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (buttons === 1 && box) onSeek(((clientX - box.left) / box.width) * durationSecs);
  };
  return (
    <div
      ref={track}
      class="track"
      onPointerDown={(event) => {
        track.current?.setPointerCapture(event.pointerId);
        scrub(event);
      }}
      onPointerMove={scrub}
    >
      {/* Beside the lanes, not around them: what lies in a slider cannot be reached by a screen reader. */}
      <div
        class="axis"
        role="slider"
        tabIndex={0}
        aria-label="Position"
        aria-valuemin={0}
        aria-valuemax={durationSecs}
        aria-valuenow={Number(secs.toFixed(2))}
        aria-valuetext={`${formatClock(secs)} of ${formatClock(durationSecs)}`}
      >
        <Ticks durationSecs={durationSecs} />
      </div>
      {children}
      <div class="playhead" style={{ left: `${(100 * secs) / (durationSecs || 1)}%` }} />
    </div>
  );
}

function Ticks({ durationSecs }: { durationSecs: number }) {
  const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600].find((each) => durationSecs / each <= 14) ?? 1800;
  const ticks = Array.from({ length: Math.floor(durationSecs / step) + 1 }, (_, i) => i * step).filter(
    (tick) => tick <= 0.97 * durationSecs, // later ones would stick out
  );
  return (
    <>
      {ticks.map((tick) => (
        <span key={tick} aria-hidden="true" style={{ left: `${(100 * tick) / (durationSecs || 1)}%` }}>
          {tick < 60 ? `${tick} s` : formatClock(tick).replace(/\.00$/, '')}
        </span>
      ))}
    </>
  );
}
