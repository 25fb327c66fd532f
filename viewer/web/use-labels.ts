import { useEffect, useState } from 'preact/hooks';
import { LabelStore } from './label-store.ts';

/** The labels of an episode; undefined until the component is there. */
export function useLabels(episodeId: string): LabelStore | undefined {
  const [, setTurn] = useState(0);
  const [store, setStore] = useState<LabelStore>();
  useEffect(() => {
    const made = new LabelStore(episodeId, () => setTurn((turn) => turn + 1));
    setStore(made);
    return () => made.close();
  }, [episodeId]);
  return store;
}
