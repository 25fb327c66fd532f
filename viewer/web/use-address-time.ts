import { useEffect } from 'preact/hooks';
import type { EpisodeTime } from './episode-time.ts';
import type { Replay } from './replay.ts';

/** Browsers refuse an address that changes oftener than some hundred times in half a minute. */
const SETTLED_MILLIS = 300;

/** The instant shown stands in the page's address while nothing plays, so that a link names it. */
export function useAddressTime(
  replay: Replay,
  { time, isReady }: { readonly time: EpisodeTime; readonly isReady: boolean },
): void {
  useEffect(() => {
    if (!isReady) return;
    const named = Number(new URLSearchParams(location.search).get('t') ?? Number.NaN);
    if (Number.isFinite(named)) replay.seek(time.timeAt(named));
    let timer = 0;
    let shown = replay.state.time;
    const unlisten = replay.listen(() => {
      if (replay.state.time === shown) return;
      shown = replay.state.time;
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        const url = new URL(location.href);
        url.searchParams.set('t', time.secsAt(shown).toFixed(3));
        history.replaceState(null, '', url);
      }, SETTLED_MILLIS);
    });
    return () => {
      unlisten();
      clearTimeout(timer);
    };
  }, [replay, isReady]);
}
