import { useEffect, useState } from 'preact/hooks';
import type { EpisodeFacts, EpisodeSummary } from '../api.ts';
import { EpisodeView } from './episode-view.tsx';
import { Episodes } from './episodes.tsx';
import { Replay } from './replay.ts';
import { fetchEpisodes, fetchFacts, recordingAddress, webSocketAddress } from './server.ts';

interface Loaded {
  readonly episodes: readonly EpisodeSummary[];
  readonly isRecording: boolean;
  readonly facts: EpisodeFacts;
  readonly replay: Replay | undefined;
}

/** The page: the episode that the address names, or the first one. */
export function App() {
  const [loaded, setLoaded] = useState<Loaded>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    const wanted = new URLSearchParams(location.search).get('episode');
    load(wanted).then(setLoaded, (error: Error) => setFault(error.message));
  }, []);
  if (fault) return <p class="notice">{fault}</p>;
  if (!loaded) return <p class="notice">Loading…</p>;
  const { episodes, isRecording, facts, replay } = loaded;
  const hasList = episodes.length > 1 || isRecording;
  return (
    <div class={hasList ? 'page with-episodes' : 'page'}>
      {hasList && <Episodes episodes={episodes} current={facts.id} isRecording={isRecording} />}
      {replay ? <EpisodeView facts={facts} replay={replay} /> : <p class="notice">{facts.fault}</p>}
    </div>
  );
}

async function load(wanted: string | null): Promise<Loaded> {
  const { episodes, isRecording } = await fetchEpisodes();
  const id = wanted ?? episodes[0]?.id;
  if (!id && isRecording) location.replace(recordingAddress());
  if (!id) throw new Error('There is no episode here.');
  const facts = await fetchFacts(id);
  document.title = `${id} – Kinescribe replay`;
  return { episodes, isRecording, facts, replay: facts.fault ? undefined : new Replay(webSocketAddress(id)) };
}
