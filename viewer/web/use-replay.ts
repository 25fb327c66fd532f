import { useEffect, useRef, useState } from 'preact/hooks';
import type { Replay, ReplayState } from './replay.ts';

/** A part of the playback's state; the component draws again only when this part has changed. */
export function useReplay<T>(replay: Replay, select: (state: ReplayState) => T): T {
  const [, setValue] = useState(() => select(replay.state));
  const latest = useRef(select);
  latest.current = select; // a selection may depend on what the component was last drawn with
  useEffect(() => {
    const update = () => setValue(() => latest.current(replay.state));
    update();
    return replay.listen(update);
  }, [replay]);
  return select(replay.state);
}
