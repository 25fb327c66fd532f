import { useEffect, useState } from 'preact/hooks';
import type { EpisodeFacts } from '../api.ts';
import { EpisodeView } from './episode-view.tsx';
import { Library } from './library.tsx';
import { Replay } from './replay.ts';
import {
  fetchEpisodes,
  fetchFacts,
  listQuery,
  pageAddress,
  recordingAddress,
  webSocketAddress,
} from './server.ts';

type Shown =
  | { readonly kind: 'library'; readonly isRecording: boolean }
  | {
      readonly kind: 'episode';
      readonly facts: EpisodeFacts;
      readonly replay: Replay;
      readonly hasList: boolean;
    }
  | { readonly kind: 'fault'; readonly message: string };

/** The page: the episode that the address names, else the only one, else the library. */
export function App() {
  const [shown, setShown] = useState<Shown>();
  useEffect(() => {
    const wanted = new URLSearchParams(location.search).get('episode');
    load(wanted).then(setShown, (error: Error) => setShown({ kind: 'fault', message: error.message }));
  }, []);
  switch (shown?.kind) {
    case undefined:
      return <p class="notice">Loading…</p>;
    case 'fault':
      return (
        <main class="notice">
          <p>{shown.message}</p>
          <a href={pageAddress()}>Library</a>
        </main>
      );
    case 'library':
      return <Library isRecording={shown.isRecording} />;
    case 'episode':
      return <EpisodeView facts={shown.facts} replay={shown.replay} hasList={shown.hasList} />;
  }
}

async function load(wanted: string | null): Promise<Shown> {
  const { episodes, total, isRecording } = await fetchEpisodes({ limit: '1' });
  const only = total === 1 && !isRecording && [...listQuery()].length === 0 ? episodes[0]?.id : undefined;
  const id = wanted ?? only;
  if (id === undefined) {
    if (total === 0 && isRecording) location.replace(recordingAddress());
    document.title = 'Library – Kinescribe';
    return { kind: 'library', isRecording };
  }
  const facts = await fetchFacts(id);
  document.title = `${id} – Kinescribe`;
  if (facts.fault) return { kind: 'fault', message: facts.fault };
  return {
    kind: 'episode',
    facts,
    replay: new Replay(webSocketAddress(id)),
    hasList: total > 1 || isRecording,
  };
}
