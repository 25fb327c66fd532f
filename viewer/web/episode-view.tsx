import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EpisodeFacts, EpisodeFindings } from '../api.ts';
import { isPicture } from '../picture-types.ts';
import { Camera } from './camera.tsx';
import { EpisodeHead, useNeighbours } from './episode-head.tsx';
import { obeyKey } from './episode-keys.ts';
import { episodeTime } from './episode-time.ts';
import { Findings } from './findings.tsx';
import { HeatMap } from './heat-map.tsx';
import { interactionLanes } from './interaction-lanes.tsx';
import { Judgement } from './judgement.tsx';
import { KeyHelp } from './key-help.tsx';
import { FindingLane, LabelLane, placedFindings } from './label-lanes.tsx';
import { lossSpan } from './loss-span.ts';
import { Marking } from './marking.tsx';
import type { Replay } from './replay.ts';
import { descriptionTopic, RobotView } from './robot-view.tsx';
import { loadPlots, type Plot } from './series.ts';
import { fetchFindings, watchLibrary } from './server.ts';
import { TimePlotView } from './time-plot.tsx';
import { Timeline } from './timeline.tsx';
import { Undrawn } from './undrawn.tsx';
import { useAddressTime } from './use-address-time.ts';
import { useDeeds } from './use-deeds.ts';
import { useLabels } from './use-labels.ts';
import { useReplay } from './use-replay.ts';

/** One frame of a 30 Hz camera, where the episode has none. */
const FRAME_SECS = 1 / 30;

interface Props {
  readonly facts: EpisodeFacts;
  readonly replay: Replay;
  /** Whether there are other episodes to go to. */
  readonly hasList: boolean;
}

/** An episode: its facts, cameras, plots, what is said of it, and the time line that moves them all. */
export function EpisodeView({ facts, replay, hasList }: Props) {
  const channels = useReplay(replay, (state) => state.channels);
  const [plots, setPlots] = useState<readonly Plot[]>();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const store = useLabels(facts.id);
  const report = useFindings(facts.id);
  const neighbours = useNeighbours(facts.id, hasList);
  const start = BigInt(facts.startTime);
  const time = episodeTime(facts);
  const cameras = facts.streams.filter(({ type, messageCount }) => isPicture(type) && messageCount > 0);

  const urdfTopic = descriptionTopic(facts);

  const seek = useCallback((secs: number) => replay.seek(episodeTime(facts).timeAt(secs)), [replay, facts]);
  useAddressTime(replay, { time, isReady: channels.length > 0 });
  useEffect(() => {
    if (channels.length === 0) return;
    loadPlots(facts, channels, isPicture).then(setPlots, (error: unknown) => {
      console.error(error);
      setPlots([]);
    });
  }, [channels, facts]);

  const arrays = plots?.filter((plot) => plot.kind === 'array') ?? [];
  const lines = plots?.filter((plot) => plot.kind === 'time') ?? [];
  // A recording without a ledger still shows where its plotted streams fell silent.
  const losses =
    facts.lostMessages === null
      ? [...new Map(lines.flatMap((plot) => plot.losses).map((loss) => [loss.text, loss])).values()]
      : facts.losses.map((loss) => lossSpan(loss, facts));
  const labels = store?.state.labels;
  const eventSecs = [
    ...losses.map(({ fromSecs }) => fromSecs),
    ...(report ? placedFindings(report, labels).map(({ window }) => time.secsAt(window.startTime)) : []),
    ...(labels?.current.marks ?? []).map(({ label }) => time.secsAt(label.startTime)),
  ].sort((a, b) => a - b);
  const { deeds, marks } = useDeeds({
    ...{ facts, replay, store, hasList, neighbours, eventSecs, seek },
    frameSecs: 1 / (cameras[0]?.rateHz ?? 1 / FRAME_SECS),
    toggleHelp: () => setHelpOpen((isOpen) => !isOpen),
  });
  const spoken = { labels, time, onSeek: seek };
  const said = [
    { name: 'labels', lane: <LabelLane {...spoken} openMarkSecs={marks.openSecs} /> },
    ...(report ? [{ name: 'findings', lane: <FindingLane {...spoken} report={report} /> }] : []),
    ...useMemo(() => interactionLanes(plots ?? [], facts.durationSecs), [plots]),
  ];
  const latestDeeds = useRef(deeds);
  latestDeeds.current = deeds;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => obeyKey(event, latestDeeds.current);
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <main class="episode">
      <EpisodeHead
        facts={facts}
        outcome={labels ? (labels.current.outcome?.label.value ?? null) : facts.outcome}
        neighbours={neighbours}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="panels" aria-label="Streams" tabIndex={0}>
        <div class="sights">
          {channels.length > 0 &&
            cameras.map((stream) => <Camera key={stream.topic} replay={replay} stream={stream} />)}
          {channels.length > 0 && urdfTopic && <RobotView facts={facts} replay={replay} topic={urdfTopic} />}
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
          <Undrawn facts={facts} channels={channels} />
        </div>
      </section>
      <aside class="sidebar" aria-label="What is said of it">
        {store && <Judgement store={store} deeds={deeds} />}
        {report && <Findings report={report} store={store} time={time} onSeek={seek} />}
        {store && (
          <Marking
            {...{ store, deeds, time }}
            name={marks.name}
            isOpen={marks.openSecs !== undefined}
            onName={marks.setName}
            onSeek={seek}
            now={() => time.secsAt(replay.state.time)}
          />
        )}
      </aside>
      <Timeline {...{ replay, facts, losses }} said={said} onSeek={seek} onHelp={deeds.toggleHelp} />
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
    </main>
  );
}

/** The checks' report, fetched again when it may have changed; null where there is none. */
function useFindings(episodeId: string): EpisodeFindings['report'] {
  const [report, setReport] = useState<EpisodeFindings['report']>(null);
  useEffect(
    () =>
      watchLibrary((id) => {
        if (id === undefined || id === episodeId) fetchFindings(episodeId).then(setReport, console.error);
      }),
    [episodeId],
  );
  return report;
}
