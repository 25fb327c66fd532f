import { useCallback, useEffect, useState } from 'preact/hooks';
import type { EpisodeFacts } from '../api.ts';
import { Camera } from './camera.tsx';
import { Outcome } from './episodes.tsx';
import { formatBytes, formatCount, formatDate, formatDuration } from './format.ts';
import { HeatMap } from './heat-map.tsx';
import { lossSpan } from './loss-span.ts';
import { isPicture } from '../picture-types.ts';
import type { Replay } from './replay.ts';
import { loadPlots, type Plot } from './series.ts';
import { fileAddress } from './server.ts';
import { TimePlotView } from './time-plot.tsx';
import { Timeline } from './timeline.tsx';
import { useReplay } from './use-replay.ts';

/** One frame of a 30 Hz camera, where the episode has none. */
const FRAME_SECS = 1 / 30;

/** An episode: its facts, cameras, plots and the time line that moves them all. */
export function EpisodeView({ facts, replay }: { facts: EpisodeFacts; replay: Replay }) {
  const channels = useReplay(replay, (state) => state.channels);
  const [plots, setPlots] = useState<readonly Plot[]>();
  const start = BigInt(facts.startTime);
  const cameras = facts.streams.filter(({ type, messageCount }) => isPicture(type) && messageCount > 0);

  const seek = useCallback(
    (secs: number) => {
      const held = Math.min(Math.max(secs, 0), facts.durationSecs);
      replay.seek(start + BigInt(Math.round(held * 1e9)));
    },
    [replay, facts],
  );
  useEffect(() => {
    if (channels.length === 0) return;
    loadPlots(facts, channels, isPicture).then(setPlots, (error: unknown) => {
      console.error(error);
      setPlots([]);
    });
  }, [channels, facts]);
  useEffect(() => {
    const frameSecs = 1 / (cameras[0]?.rateHz ?? 1 / FRAME_SECS);
    const listener = (event: KeyboardEvent) => onKey(event, replay, { facts, frameSecs, seek });
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, [replay, facts]);

  const arrays = plots?.filter((plot) => plot.kind === 'array') ?? [];
  const lines = plots?.filter((plot) => plot.kind === 'time') ?? [];
  // A recording without a ledger still shows where its plotted streams fell silent.
  const losses =
    facts.lostMessages === null
      ? [...new Map(lines.flatMap((plot) => plot.losses).map((loss) => [loss.text, loss])).values()]
      : facts.losses.map((loss) => lossSpan(loss, facts));
  return (
    <main>
      <Facts facts={facts} />
      <div class="panels">
        <div class="sights">
          {channels.length > 0 &&
            cameras.map((stream) => <Camera key={stream.topic} replay={replay} stream={stream} />)}
          {arrays.map((plot) => (
            <HeatMap key={plot.key} replay={replay} plot={plot} startTime={start} />
          ))}
        </div>
        <div class="plots" aria-busy={plots === undefined}>
          {lines.map((plot, index) => (
            <TimePlotView
              key={plot.key}
              replay={replay}
              plot={plot}
              startTime={start}
              durationSecs={facts.durationSecs}
              hasAxis={index === lines.length - 1}
              onSeek={seek}
            />
          ))}
        </div>
      </div>
      <Timeline replay={replay} facts={facts} losses={losses} onSeek={seek} />
    </main>
  );
}

function Facts({ facts }: { facts: EpisodeFacts }) {
  const { id, task, outcome, robot, operator, durationSecs, lostMessages, startTime, bytes } = facts;
  const rows: readonly (readonly [name: string, value: string, isLoss?: boolean])[] = [
    ['duration', formatDuration(durationSecs)],
    ['messages', formatCount(facts.messageCount)],
    ['lost', lostMessages === null ? 'no ledger' : formatCount(lostMessages), Boolean(lostMessages)],
    ['operator', operator ?? 'not known'],
    ['recorded', formatDate(startTime)],
  ];
  return (
    <header>
      <div>
        <h1>
          <Outcome outcome={outcome} /> {task ?? id}
        </h1>
        <p>
          {id} · {robot ?? 'robot not known'} · <a href={fileAddress(id)}>{`MCAP, ${formatBytes(bytes)}`}</a>
        </p>
      </div>
      <dl>
        {rows.map(([name, value, isLoss]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={isLoss ? 'loss' : ''}>{value}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}

interface KeyContext {
  readonly facts: EpisodeFacts;
  readonly frameSecs: number;
  readonly seek: (secs: number) => void;
}

function onKey(event: KeyboardEvent, replay: Replay, { facts, frameSecs, seek }: KeyContext): void {
  const { target, key, shiftKey } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
  // Space on a focused button presses that button.
  if (key === ' ' && target instanceof HTMLButtonElement) return;
  const secs = Number(replay.state.time - BigInt(facts.startTime)) / 1e9;
  const step = shiftKey ? 1 : frameSecs;
  const actions: Readonly<Record<string, () => void>> = {
    ' ': () => replay.toggle(),
    ArrowLeft: () => seek(secs - step),
    ArrowRight: () => seek(secs + step),
    Home: () => seek(0),
    End: () => seek(facts.durationSecs),
  };
  const action = actions[key];
  if (!action) return;
  event.preventDefault();
  action();
}
